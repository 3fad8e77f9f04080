package tenant

// on is a set of families.
type on uint8

const (
	onWindows on = 1 << windows
	onMac     on = 1 << macOS
	onLinux   on = 1 << linux
	onMobile  on = 1 << mobile
	onDesktop    = onWindows | onMac
	onServers    = onWindows | onLinux
	onAll        = onWindows | onMac | onLinux
)

// numbering is how the versions of a program look.
type numbering uint8

// The numberings; base is the first number.
const (
	dotted    numbering = iota // 3.14.7
	four                       // 128.2.4051.17
	builds                     // 10.0.26100.4202
	dated                      // 2026.03.1
	tagged                     // 3.2-r7~beta+build.9
	unversion                  // no version is known: the empty string
)

// product is a well-known program.
type product struct {
	vendor, name string
	on           on
	share        int // of a thousand devices of a family
	instances    int // most versions side by side; 0 stands for 1
	neglect      int // percent; 0 stands for 100
	line         string
	numbering    numbering
}

// lines are the tracks of the well-known programs.
var lines = map[string]trackPlan{
	"windows":    {interval: 30, history: 40, cves: 420, bulletin: true},
	"chromium":   {interval: 7, history: 60, cves: 34},
	"firefox":    {interval: 28, history: 40, cves: 80},
	"office":     {interval: 30, history: 40, cves: 70, bulletin: true},
	"dotnet":     {interval: 30, history: 40, cves: 15, bulletin: true},
	"sqlserver":  {interval: 60, history: 24, cves: 40, bulletin: true},
	"openssl":    {interval: 60, history: 40, cves: 19},
	"java":       {interval: 91, history: 32, cves: 65},
	"acrobat":    {interval: 30, history: 40, cves: 60},
	"macos":      {interval: 40, history: 30, cves: 450},
	"ios":        {interval: 35, history: 30, cves: 260},
	"android":    {interval: 30, history: 40, cves: 300},
	"kernel":     {interval: 21, history: 60, cves: 420},
	"interpret":  {interval: 60, history: 40, cves: 18},
	"flash":      {interval: 30, history: 24, cves: 60, ended: true},
	"silverpast": {interval: 90, history: 12, cves: 20, ended: true},
	"monthly":    {interval: 30, history: 30, cves: 8},
	"quarterly":  {interval: 90, history: 20, cves: 12},
	"steady":     {interval: 45, history: 24, cves: 0},
}

// products are the programs that many devices have. Those with the name of a
// platform's system are its first program.
var products = []product{
	{vendor: "microsoft", name: "windows_11", line: "windows", numbering: builds},
	{vendor: "microsoft", name: "windows_10", line: "windows", numbering: builds},
	{vendor: "microsoft", name: "windows_server_2022", line: "windows", numbering: builds},
	{vendor: "microsoft", name: "windows_server_2019", line: "windows", numbering: builds},
	{vendor: "apple", name: "mac_os", line: "macos", numbering: four},
	{vendor: "canonical", name: "ubuntu_linux", line: "kernel", numbering: dotted},
	{vendor: "apple", name: "ios", line: "ios", numbering: dotted},
	{vendor: "google", name: "android", line: "android", numbering: dotted},

	{vendor: "microsoft", name: "edge_chromium-based", on: onDesktop, share: 960, line: "chromium", numbering: four},
	{vendor: "google", name: "chrome", on: onAll, share: 880, line: "chromium", numbering: four},
	{vendor: "microsoft", name: "edge_webview2_runtime", on: onWindows, share: 940, line: "chromium", numbering: four},
	{vendor: "mozilla", name: "firefox", on: onAll, share: 380, line: "firefox", numbering: dotted},
	{vendor: "mozilla", name: "thunderbird", on: onAll, share: 40, line: "firefox", numbering: dotted},
	{vendor: "microsoft", name: "office", on: onDesktop, share: 930, line: "office", numbering: four},
	{vendor: "microsoft", name: "onedrive", on: onDesktop, share: 950, line: "monthly", numbering: four},
	{vendor: "microsoft", name: "teams", on: onDesktop, share: 900, line: "monthly", numbering: four},
	{vendor: "microsoft", name: ".net", on: onAll, share: 700, instances: 4, neglect: 200, line: "dotnet", numbering: dotted},
	{vendor: "microsoft", name: ".net_framework", on: onWindows, share: 990, instances: 2, line: "dotnet", numbering: four},
	{vendor: "microsoft", name: "asp.net_core", on: onServers, share: 280, instances: 3, line: "dotnet", numbering: dotted},
	{vendor: "microsoft", name: "sql_server_2019", on: onWindows, share: 60, neglect: 150, line: "sqlserver", numbering: builds},
	{vendor: "microsoft", name: "odbc_driver_17_for_sql_server", on: onWindows, share: 340, neglect: 200, line: "sqlserver", numbering: builds},
	{vendor: "microsoft", name: "visual_c++_2015-2022_redistributable_(x64)", on: onWindows, share: 980, instances: 3, line: "steady", numbering: four},
	{vendor: "microsoft", name: "visual_studio_code", on: onAll, share: 300, line: "monthly", numbering: dotted},
	{vendor: "microsoft", name: "visual_studio_2022", on: onWindows, share: 90, line: "dotnet", numbering: four},
	{vendor: "microsoft", name: "powershell", on: onAll, share: 350, instances: 2, line: "dotnet", numbering: dotted},
	{vendor: "microsoft", name: "defender_for_endpoint", on: onAll, share: 1000, line: "steady", numbering: four},
	{vendor: "microsoft", name: "silverlight", on: onWindows, share: 30, line: "silverpast", numbering: four},
	{vendor: "openssl", name: "openssl", on: onAll, share: 820, instances: 5, neglect: 130, line: "openssl", numbering: dotted},
	{vendor: "oracle", name: "jre", on: onAll, share: 270, instances: 2, neglect: 200, line: "java", numbering: dotted},
	{vendor: "oracle", name: "jdk", on: onAll, share: 90, instances: 3, neglect: 200, line: "java", numbering: dotted},
	{vendor: "eclipse", name: "temurin", on: onAll, share: 80, instances: 2, line: "java", numbering: tagged},
	{vendor: "adobe", name: "acrobat_reader_dc", on: onDesktop, share: 780, line: "acrobat", numbering: dotted},
	{vendor: "adobe", name: "creative_cloud", on: onDesktop, share: 110, line: "monthly", numbering: four},
	{vendor: "adobe", name: "flash_player", on: onWindows, share: 22, line: "flash", numbering: four},
	{vendor: "7-zip", name: "7-zip", on: onWindows, share: 640, neglect: 200, line: "quarterly", numbering: dotted},
	{vendor: "notepad-plus-plus", name: "notepad++", on: onWindows, share: 420, neglect: 150, line: "quarterly", numbering: dotted},
	{vendor: "videolan", name: "vlc_media_player", on: onDesktop, share: 310, neglect: 200, line: "quarterly", numbering: dotted},
	{vendor: "zoom", name: "zoom", on: onAll, share: 520, line: "monthly", numbering: four},
	{vendor: "cisco", name: "webex_teams", on: onDesktop, share: 160, line: "monthly", numbering: four},
	{vendor: "rarlab", name: "winrar", on: onWindows, share: 120, neglect: 300, line: "quarterly", numbering: dotted},
	{vendor: "putty", name: "putty", on: onWindows, share: 210, neglect: 200, line: "quarterly", numbering: dotted},
	{vendor: "winscp", name: "winscp", on: onWindows, share: 140, line: "quarterly", numbering: dotted},
	{vendor: "git-scm", name: "git", on: onAll, share: 260, neglect: 150, line: "quarterly", numbering: dotted},
	{vendor: "python", name: "python", on: onAll, share: 430, instances: 3, neglect: 150, line: "interpret", numbering: dotted},
	{vendor: "nodejs", name: "node.js", on: onAll, share: 210, instances: 3, line: "interpret", numbering: dotted},
	{vendor: "apache", name: "log4j", on: onAll, share: 90, instances: 4, neglect: 200, line: "interpret", numbering: dotted},
	{vendor: "apache", name: "tomcat", on: onServers, share: 60, instances: 2, line: "interpret", numbering: dotted},
	{vendor: "haxx", name: "curl", on: onAll, share: 760, instances: 3, line: "interpret", numbering: dotted},
	{vendor: "sqlite", name: "sqlite", on: onAll, share: 420, instances: 4, neglect: 150, line: "quarterly", numbering: dotted},
	{vendor: "intel", name: "graphics_driver", on: onWindows, share: 580, line: "steady", numbering: four},
	{vendor: "intel", name: "management_engine_components", on: onWindows, share: 560, line: "quarterly", numbering: four},
	{vendor: "realtek", name: "audio_driver", on: onWindows, share: 520, line: "steady", numbering: unversion},
	{vendor: "dell", name: "supportassist", on: onWindows, share: 330, neglect: 150, line: "quarterly", numbering: dotted},
	{vendor: "hp", name: "support_assistant", on: onWindows, share: 180, line: "quarterly", numbering: four},
	{vendor: "lenovo", name: "vantage", on: onWindows, share: 170, line: "quarterly", numbering: dotted},
	{vendor: "vmware", name: "tools", on: onServers, share: 150, neglect: 200, line: "quarterly", numbering: four},
	{vendor: "citrix", name: "workspace", on: onDesktop, share: 230, line: "quarterly", numbering: four},
	{vendor: "palo_alto_networks", name: "globalprotect", on: onDesktop, share: 290, line: "quarterly", numbering: dotted},
	{vendor: "wireshark", name: "wireshark", on: onDesktop, share: 60, neglect: 150, line: "interpret", numbering: dotted},
	{vendor: "sogou", name: "搜狗输入法", on: onDesktop, share: 35, line: "quarterly", numbering: dotted},
	{vendor: "яндекс", name: "yandex_disk", on: onDesktop, share: 25, line: "quarterly", numbering: dotted},
	{vendor: "crème_logiciels", name: "éditeur_brûlé", on: onDesktop, share: 18, line: "steady", numbering: tagged},
	{vendor: "", name: "unknown \"beta\" \\ tool\t№1", on: onAll, share: 12, line: "steady", numbering: tagged},

	{vendor: "apple", name: "safari", on: onMac, share: 1000, line: "firefox", numbering: dotted},
	{vendor: "apple", name: "xcode", on: onMac, share: 240, line: "quarterly", numbering: dotted},
	{vendor: "apple", name: "quicktime_for_mac", on: onMac, share: 600, line: "silverpast", numbering: four},
	{vendor: "apple", name: "itunes", on: onWindows, share: 45, neglect: 300, line: "acrobat", numbering: four},
	{vendor: "homebrew", name: "brew", on: onMac, share: 260, line: "steady", numbering: dotted},
	{vendor: "gnu", name: "glibc", on: onLinux, share: 1000, line: "interpret", numbering: tagged},
	{vendor: "gnu", name: "bash", on: onLinux, share: 1000, line: "steady", numbering: tagged},
	{vendor: "linux", name: "linux_kernel", on: onLinux, share: 900, instances: 2, line: "kernel", numbering: tagged},
	{vendor: "openbsd", name: "openssh", on: onLinux | onMac, share: 980, line: "quarterly", numbering: tagged},
	{vendor: "nginx", name: "nginx", on: onLinux, share: 230, line: "quarterly", numbering: dotted},
	{vendor: "docker", name: "docker", on: onLinux | onMac, share: 320, instances: 2, line: "interpret", numbering: four},
	{vendor: "systemd_project", name: "systemd", on: onLinux, share: 990, line: "interpret", numbering: tagged},
	{vendor: "microsoft", name: "outlook_for_mobile", on: onMobile, share: 900, line: "monthly", numbering: dotted},
	{vendor: "microsoft", name: "authenticator", on: onMobile, share: 950, line: "steady", numbering: dotted},
	{vendor: "whatsapp", name: "whatsapp", on: onMobile, share: 500, line: "monthly", numbering: dotted},
}

// tails are how many lists of how many rare programs each family has.
var tails = [families]struct{ lists, programs int }{
	windows: {42, 44},
	macOS:   {28, 12},
	linux:   {44, 14},
	mobile:  {14, 10},
}

// tailPlans are the tracks of rare programs; most of them never have a CVE.
var tailPlans = []trackPlan{
	{interval: 120, history: 12, cves: 0},
	{interval: 60, history: 14, cves: 0},
	{interval: 200, history: 10, cves: 0},
	{interval: 90, history: 12, cves: 4},
	{interval: 120, history: 12, cves: 11},
	{interval: 45, history: 14, cves: 6},
	{interval: 180, history: 8, cves: 20, ended: true},
}

// Vendors and names of rare programs are put together from these.
var (
	tailVendors = []string{
		"acme", "blue_harbour", "canopy", "deltasoft", "evergreen", "fourth_coast", "graphpoint", "helix", "ironbark", "junco",
		"kestrel", "lumen_labs", "marigold", "northwind", "ostrava", "papyrus", "quillwork", "relecloud", "sable", "tailspin",
		"umbra", "vanarsdel", "wingtip", "xenolith", "yarrow", "zephyr", "müller_gmbh", "société_générique", "株式会社例", "شركة_مثال",
	}
	tailAdjectives = []string{
		"active", "basic", "cloud", "desk", "easy", "fast", "global", "hyper", "instant", "joint", "key", "live", "micro", "net",
		"open", "photo", "quick", "remote", "smart", "total", "ultra", "virtual", "web", "x", "zip", "αλφα", "ελαφρύ", "быстрый",
	}
	tailNouns = []string{
		"agent", "backup", "capture", "designer", "editor", "finder", "gateway", "helper_service", "importer", "journal", "keeper",
		"launcher", "monitor", "notes", "organizer", "player", "query_tool", "reader", "scanner", "tuner", "updater", "viewer",
		"workbench", "exporter", "sync_client", "driver", "converter_pro", "планировщик", "エディタ", "עורך",
	}
)
