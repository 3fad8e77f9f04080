package tenant

// family is a set of operating systems that run the same programs.
type family uint8

// The families.
const (
	windows family = iota
	macOS
	linux
	mobile
	families
)

// platform is an operating system as the OSPlatform column names it.
type platform struct {
	name          string
	family        family
	system        string // name of the program that is the system itself
	architectures []string
	share         int // of a thousand devices
}

var platforms = []platform{
	{"Windows11", windows, "windows_11", []string{"x64", "x64", "x64", "x64", "arm64"}, 470},
	{"Windows10", windows, "windows_10", []string{"x64", "x64", "x64", "x86"}, 190},
	{"WindowsServer2022", windows, "windows_server_2022", []string{"x64"}, 80},
	{"WindowsServer2019", windows, "windows_server_2019", []string{"x64"}, 50},
	{"macOS", macOS, "mac_os", []string{"x64", "arm64", "arm64"}, 110},
	{"Linux", linux, "ubuntu_linux", []string{"x64", "x64", "x64", "arm64"}, 70},
	{"iOS", mobile, "ios", []string{"arm64"}, 15},
	{"Android", mobile, "android", []string{"arm64"}, 15},
}

// platform is that of a device rolled with d.
func (d dice) platform() *platform {
	at := d.n(1000)
	for i := range platforms {
		if at -= platforms[i].share; at < 0 {
			return &platforms[i]
		}
	}
	return &platforms[0]
}
