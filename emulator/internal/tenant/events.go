package tenant

import (
	"strings"
	"sync"

	"github.com/tvmexport/tvmexport/emulator/internal/kql"
	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// happened is a row of an event table.
type happened struct {
	state  *state
	device *device
	dice   dice  // of the event
	ticks  int64 // Timestamp
	// The process that acts, the one that started it, and, of
	// DeviceProcessEvents, the one that it starts.
	image, parent, child *image
	account              *account
}

// ingestionTime is the hidden column of event tables: a few minutes after the
// Timestamp. Tables of current state have none.
var ingestionTime = []column[happened]{
	{kql.HiddenIngestionTime, value.DateTime, perRow, func(r *happened) value.Value {
		return value.DateTimeFromTicks(r.ticks + r.delay())
	}},
}

// delay is the ticks from an event to its ingestion, below maxDelay.
func (r *happened) delay() int64 {
	return int64(minDelay + r.dice.at(ofTime, 3, 0).n(maxDelay-minDelay))
}

const (
	minDelay = int(20 * value.TicksPerSecond)
	maxDelay = int(8 * value.TicksPerMinute)
)

// eventPlan says how many events a device has on a day.
type eventPlan struct {
	topic         topic
	least, spread int // from least to least+spread-1
	heavy         int // times as many on a heavy device
}

// eventRows yields the events of the days that are kept, the newest day last.
// Days end at the edge: Advance(1) adds those of one day and drops those of
// another.
func eventRows(s *scan[happened], p eventPlan) {
	r := &s.record
	r.state = s.state
	during := s.where.span("Timestamp")
	if in := s.where.span(kql.HiddenIngestionTime); in != always {
		during.from = max(during.from, max(in.from, int64(maxDelay))-int64(maxDelay))
		during.to = min(during.to, in.to)
	}
	accounts := len(accountNames)
	for day := max(s.state.day-s.state.retention, -s.state.history) + 1; day <= s.state.day; day++ {
		begin := s.state.edge(day-1) + quiet
		if !during.overlaps(begin, s.state.edge(day)-1) {
			continue
		}
		for i := range s.state.devices {
			d := &s.state.devices[i]
			if day < int(d.first) || day > int(d.last) || d.awayOn(day) || !s.wants(d) {
				continue
			}
			s.again = d.twice && day%7 == 0
			r.device = d
			s.enter(perDevice)
			of := d.dice.at(p.topic, day+daysBefore, 0)
			n := p.least + of.n(p.spread)
			if d.heavy {
				n *= p.heavy
			}
			previous := begin
			for e := range n {
				r.dice = of.at(p.topic, e, 1)
				r.ticks = r.moment(begin, previous, e)
				previous = r.ticks
				if !during.holds(r.ticks) {
					s.skip()
					continue
				}
				r.act()
				r.account = &accounted()[d.dice.at(ofName, 4, r.dice.n(3)).n(accounts)]
				if !s.emit() {
					return
				}
			}
			if !s.alive() {
				return
			}
		}
	}
}

// quiet is how long after a day's edge nothing happens. The services' clock
// runs on between two calls of Advance, and what the next call adds must not be
// in a past that clients may have read already.
const quiet = 3 * value.TicksPerHour

// daysBefore keeps the numbers of days, of which some are negative, positive.
const daysBefore = 1 << 20

// moment is when event e of a day happened: the first of some devices right
// at the day's beginning, and one in twenty together with the one before.
func (r *happened) moment(begin, previous int64, e int) int64 {
	d := r.dice.at(ofTime, 4, 0)
	switch {
	case e == 0 && r.device.dice.at(ofTime, 4, 1).permille(50):
		return begin
	case e > 0 && d.permille(50):
		return previous
	}
	offset := int64(d.n(int(value.TicksPerDay - quiet)))
	switch d.at(ofTime, 5, 0).n(16) {
	case 0:
		offset -= offset % value.TicksPerSecond
	case 1, 2:
		offset -= offset % value.TicksPerMillisecond
	case 3:
		offset -= offset % (10 * value.TicksPerMicrosecond)
	}
	// A shortened offset stays in the day.
	return begin + offset
}

// report is a ReportId: a counter of the device, and one time in eight a
// number that a float64 cannot hold.
func (r *happened) report() value.Value {
	d := r.dice.at(ofText, 0, 0)
	if d.n(8) == 0 {
		return value.NewLong(beyondDouble + int64(d.at(ofText, 0, 1).n(1<<62)))
	}
	return value.NewLong(int64(d.n(1_000_000)))
}

// image is a program file.
type image struct {
	file, folder, command            string
	sha1, sha256, md5                string
	size                             int64
	company, product, version, about string
}

// act chooses the processes of the event.
func (r *happened) act() {
	all := images()
	r.image = &all[r.dice.at(ofText, 1, 0).skewed(len(all))]
	r.parent = &all[r.dice.at(ofText, 2, 0).skewed(len(all))]
	r.child = &all[r.dice.at(ofText, 3, 0).n(len(all))]
}

// images are the files that run, in several versions each.
var images = sync.OnceValue(func() []image {
	var list []image
	for v := range 6 {
		for i, f := range imageFiles {
			d := dice(0).at(ofText, i, v)
			m := image{file: f.file, folder: f.folder, command: f.command, company: f.company, product: f.product, about: f.about}
			m.version = "10.0." + d.hex(4) + ".1"
			m.size = int64(20_000 + d.n(90_000_000))
			m.sha1 = d.at(ofText, 0, 0).hex(40)
			if !d.permille(60) {
				m.sha256 = d.at(ofText, 1, 0).hex(64)
			}
			m.md5 = d.at(ofText, 2, 0).hex(32)
			list = append(list, m)
		}
	}
	return list
})

var imageFiles = []struct{ file, folder, command, company, product, about string }{
	{"svchost.exe", `C:\Windows\System32`, `svchost.exe -k netsvcs -p -s Schedule`, "Microsoft Corporation", "Microsoft® Windows® Operating System", "Host Process for Windows Services"},
	{"chrome.exe", `C:\Program Files\Google\Chrome\Application`, `"chrome.exe" --type=renderer --lang=de`, "Google LLC", "Google Chrome", "Google Chrome"},
	{"powershell.exe", `C:\Windows\System32\WindowsPowerShell\v1.0`, `powershell.exe -NoProfile -Command "& {Get-Item 'C:\Users\*' | % { $_.Name }}"`, "Microsoft Corporation", "Microsoft® Windows® Operating System", "Windows PowerShell"},
	{"msedge.exe", `C:\Program Files (x86)\Microsoft\Edge\Application`, `"msedge.exe" --single-argument https://contoso.example/?q=ü&x=1`, "Microsoft Corporation", "Microsoft Edge", "Microsoft Edge"},
	{"cmd.exe", `C:\Windows\System32`, "cmd.exe /c \"echo a\tb > %TEMP%\\x.txt\"", "Microsoft Corporation", "Microsoft® Windows® Operating System", "Windows Command Processor"},
	{"outlook.exe", `C:\Program Files\Microsoft Office\root\Office16`, `OUTLOOK.EXE /recycle`, "Microsoft Corporation", "Microsoft Office", "Microsoft Outlook"},
	{"python3", "/usr/bin", `python3 -c 'print({"a": [1, null]})'`, "", "", ""},
	{"bash", "/bin", `bash -c "curl -s https://例え.example | sh"`, "", "", ""},
	{"日本語ツール.exe", `C:\ツール`, `日本語ツール.exe --設定 "値"`, "株式会社例", "ツール", "説明"},
	{"MsMpEng.exe", `C:\ProgramData\Microsoft\Windows Defender\Platform`, "", "Microsoft Corporation", "Microsoft® Windows® Operating System", "Antimalware Service Executable"},
	{"conhost.exe", `C:\Windows\System32`, `conhost.exe 0xffffffff -ForceV1`, "Microsoft Corporation", "Microsoft® Windows® Operating System", "Console Window Host"},
	{"launchd", "/sbin", "/sbin/launchd", "", "", ""},
	{"rundll32.exe", `C:\Windows\System32`, `rundll32.exe shell32.dll,Control_RunDLL "C:\Users\Åsa\😀.cpl"`, "Microsoft Corporation", "Microsoft® Windows® Operating System", "Windows host process (Rundll32)"},
}

// account is a user of the tenant.
type account struct{ domain, name, sid, upn, objectID string }

var accountNames = []string{
	"system", "local service", "asmith", "jdoe", "müller.k", "o'brien", "anonymous logon", "svc-backup$", "張偉", "иван", "فاطمة", "root", "",
}

var upns = []string{"asmith@contoso.example", "müller.k@contoso.example", "張偉@contoso.example", "", "admin@contoso.example"}

var accounted = sync.OnceValue(func() []account {
	var list []account
	for i, n := range accountNames {
		d := dice(0).at(ofName, i, 0)
		a := account{domain: "contoso", name: n, sid: "S-1-5-21-" + strings.Repeat("1", i%3+1) + "00-" + d.hex(4) + "-1104"}
		if i < 2 {
			a.domain, a.sid = "nt authority", "S-1-5-18"
		} else if i%2 == 0 {
			a.upn, a.objectID = n+"@contoso.example", d.guid()
		}
		list = append(list, a)
	}
	return list
})
