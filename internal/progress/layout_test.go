package progress

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/catalog"
)

// shown lays out tables and their run for a width.
func shown(width int, names []string, tables []tableView, run runView) string {
	c := columnsFor(width-1, widest(names))
	var out strings.Builder
	for i, name := range Shorten(names, c.names) {
		out.WriteString("\n" + tables[i].line(name, c))
	}
	return out.String() + "\n" + run.line(width-1)
}

// The lines of a run at the usual widths: what matters least is left out first.
func TestLinesAtWidths(t *testing.T) {
	names := []string{"DeviceTvmSecureConfigurationAssessmentKB", "DeviceTvmSecureConfigurationAssessment", "DeviceTvmHardwareFirmware", "DeviceBaselineComplianceAssessmentKB", "Device資産情報テーブル"}
	tables := []tableView{
		{Phase: fetching, Rows: 1_234_567, Of: 2_500_000, Took: time.Minute},
		{Phase: landing, Rows: 12_345_678, Of: 12_345_678, Landed: 2, Batches: 17},
		{Phase: committed, Rows: 530, Of: 530},
		{Phase: failed, Rows: 0, Of: -1},
		{Phase: "counting", Of: -1},
	}
	run := runView{Tables: 5, Done: 2, Failed: 1, Rows: 13_580_775, Bytes: 4_500_000_000, Took: 92 * time.Second, Left: 61 * time.Second, Calls: 12}
	for width, want := range map[int]string{
		60: `
DeviceTvmSe..ssessmentKB  49% 1,234,567 rows, 1m 1s left
DeviceTvmSe..nAssessment 100% 12,345,678 rows, landing
DeviceTvmHa..areFirmware 100% 530 rows, committed
DeviceBasel..ssessmentKB      failed
Device資産情報テーブル        counting
2 of 5 tables, 1 failed, 13.6M rows, 1m 32s, calls: 12 left`,
		80: `
DeviceTvmSecur..nAssessmentKB [==>-----]  49% 1,234,567 rows, 1m 1s left
DeviceTvmSecur..ionAssessment [========] 100% 12,345,678 rows, landing 2 of 17
DeviceTvmHardwareFirmware     [========] 100% 530 rows, committed
DeviceBaseline..eAssessmentKB [--------]      failed
Device資産情報テーブル        [--------]      counting
2 of 5 tables, 1 failed, 13.6M rows, 4.5 GB, 1m 32s, 1m 1s left, calls: 12 left`,
		120: `
DeviceTvmSecureConfigurationAssessmentKB [=======>---------]  49% 1,234,567 rows, 20,576/s, 1m 1s left
DeviceTvmSecureConfigurationAssessment   [=================] 100% 12,345,678 rows, landing 2 of 17
DeviceTvmHardwareFirmware                [=================] 100% 530 rows, committed
DeviceBaselineComplianceAssessmentKB     [-----------------]      failed
Device資産情報テーブル                   [-----------------]      counting
2 of 5 tables done, 1 failed, 13,580,775 rows, 4.5 GB, 1m 32s, 1m 1s left, calls: 12 left this minute`,
	} {
		if got := shown(width, names, tables, run); got != want {
			t.Errorf("%d columns, got:%s\nwant:%s", width, got, want)
		}
	}
}

// The line of the whole run: what is left out, and what is never left out.
func TestRunLine(t *testing.T) {
	run := runView{Tables: 9, Done: 3, Rows: 12_345, Bytes: 4_500_000, Took: 92 * time.Second, Left: -1, Calls: -1}
	waits := run
	waits.Waiting, waits.Calls = "throttled, resumes 14:32:10", 0
	ends := run
	ends.Done, ends.Failed, ends.Left, ends.Calls = 9, 1, time.Minute, 12
	for _, c := range []struct {
		run   runView
		width int
		want  string
	}{
		{run, 0, "3 of 9 tables done, 12,345 rows, 4.5 MB, 1m 32s"},
		{run, 20, "3 of 9 tables done"},
		{run, 5, "3 o.."},
		{waits, 59, "3 of 9 tables, 12,345 rows, throttled, resumes 14:32:10"},
		{waits, 80, "3 of 9 tables done, 12,345 rows, 4.5 MB, 1m 32s, throttled, resumes 14:32:10"},
		{ends, 0, "9 of 9 tables done, 1 failed, 12,345 rows, 4.5 MB, 1m 32s"},
	} {
		if got := c.run.line(c.width); got != c.want {
			t.Errorf("%d columns: got %q, want %q", c.width, got, c.want)
		}
	}
}

// No line is wider than the terminal, and no two tables of the catalogue have the
// same short name.
func TestNoLineWraps(t *testing.T) {
	names := append(catalog.Names(), "E\u0301tat_des_e\u0301quipements_de_la_socie\u0301te\u0301_mère", "資産情報資産情報資産情報資産情報資産情報資産情報資産情報", "Gerät🖥️🖥️🖥️🖥️🖥️🖥️🖥️🖥️🖥️🖥️🖥️🖥️🖥️🖥️🖥️🖥️")
	for width := 1; width <= 130; width++ {
		c := columnsFor(width, widest(names))
		short := Shorten(names, c.names)
		if n := distinct(short); n != len(names) {
			t.Errorf("%d columns: %d names for %d tables", width, n, len(names))
		}
		for _, phase := range []string{"waiting", "counting", fetching, landing, "publishing", committed, failed} {
			for _, rows := range []int64{0, 7, 987_654_321_000} {
				v := tableView{Phase: phase, Rows: rows, Of: 999_999_999_999, Landed: 123, Batches: 4567, Took: 100 * time.Hour}
				for _, name := range short {
					if line := v.line(name, c); Width(line) > width {
						t.Fatalf("%d columns: %q has %d", width, line, Width(line))
					}
				}
			}
		}
		run := runView{Tables: 120, Done: 99, Failed: 40, Rows: 987_654_321_000, Bytes: 1 << 60, Took: 100 * time.Hour, Left: 99 * time.Hour, Calls: 45, Waiting: "throttled, resumes 14:32:10"}
		if line := run.line(width); Width(line) > width {
			t.Fatalf("%d columns: %q has %d", width, line, Width(line))
		}
	}
}

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		names string
		width int
		want  string
	}{
		{"", 24, ""},
		{"DeviceInfo DeviceTvmHardwareFirmware", 25, "DeviceInfo DeviceTvmHardwareFirmware"},
		{"DeviceInfo DeviceTvmHardwareFirmware", 24, "..Info ..TvmHardwareFirmware"},
		{"DeviceTvmHardwareFirmware", 12, "Devic..mware"},
		{"Device DeviceTvmHardwareFirmware", 12, "Device Devic..mware"}, // a word remains of each name
		{"Devices DeviceTvmHardwareFirmware", 12, "Devices Devic..mware"},
		{"AaaaaaaaOneZzzzzzzz BaaaaaaaTwoZzzzzzzz", 12, "Aaaaa..zzzzz Baaaa..zzzzz"},
		{"XaaaaaaaaaaaaaaOnezzzz XaaaaaaaaaaaaaaTwozzzz", 10, "..Onezzzz ..Twozzzz"},
		{"xaaaaaaaaaaaaaaonezzzz xaaaaaaaaaaaaaatwozzzz", 10, "xaa..ezzzz xaa..ozzzz"},
		{"資産情報資産情報資産情報", 11, "資産..情報"},
	} {
		if got := strings.Join(Shorten(strings.Fields(c.names), c.width), " "); got != c.want {
			t.Errorf("%q in %d columns: got %q, want %q", c.names, c.width, got, c.want)
		}
	}
}

// The final table loses columns before it loses names, and the last column first as
// the caller says.
func TestTableAtWidths(t *testing.T) {
	cells := [][]string{
		{"TABLE", "STATUS", "ROWS", "JSON", "CALLS", "TOOK"},
		{"DeviceTvmSecureConfigurationAssessmentKB", "committed", "530 rows, no change", "1.2 MB", "1", "4.2s"},
		{"DeviceTvmSoftwareVulnerabilities", "committed", "1,234,567 rows, 12,345 fetched (+12)", "812.4 MB", "12", "1m 32s"},
		{"DeviceTvm資産情報", "failed", "-", "0 B", "0", "0s"},
	}
	for width, want := range map[int]string{
		0: `
TABLE                                     STATUS     ROWS                                  JSON      CALLS  TOOK
DeviceTvmSecureConfigurationAssessmentKB  committed  530 rows, no change                   1.2 MB    1      4.2s
DeviceTvmSoftwareVulnerabilities          committed  1,234,567 rows, 12,345 fetched (+12)  812.4 MB  12     1m 32s
DeviceTvm資産情報                         failed     -                                     0 B       0      0s`,
		60: `
TABLE
  STATUS     ROWS                                  TOOK
DeviceTvmSecureConfigurationAssessmentKB
  committed  530 rows, no change                   4.2s
DeviceTvmSoftwareVulnerabilities
  committed  1,234,567 rows, 12,345 fetched (+12)  1m 32s
DeviceTvm資産情報
  failed     -                                     0s`,
		80: `
TABLE                           STATUS     ROWS
..TvmSecureCon..onAssessmentKB  committed  530 rows, no change
..TvmSoftwareVulnerabilities    committed  1,234,567 rows, 12,345 fetched (+12)
..Tvm資産情報                   failed     -`,
		120: `
TABLE                                     STATUS     ROWS                                  JSON      CALLS  TOOK
DeviceTvmSecureConfigurationAssessmentKB  committed  530 rows, no change                   1.2 MB    1      4.2s
DeviceTvmSoftwareVulnerabilities          committed  1,234,567 rows, 12,345 fetched (+12)  812.4 MB  12     1m 32s
DeviceTvm資産情報                         failed     -                                     0 B       0      0s`,
	} {
		if got := "\n" + strings.Join(Table(cells, width, 3, 4, 5), "\n"); got != want {
			t.Errorf("%d columns, got:%s\nwant:%s", width, got, want)
		}
	}
}

// The bars keep to the width, and the line of the whole run is the last one.
func TestBarsKeepToTheWidth(t *testing.T) {
	var out strings.Builder
	b := newBars(&out, 60)
	h := b.Hooks()
	h.Chosen([]string{"DeviceTvmSecureConfigurationAssessmentKB", "DeviceTvmSoftwareVulnerabilities", "DeviceInfo"})
	for i, name := range []string{"DeviceTvmSecureConfigurationAssessmentKB", "DeviceTvmSoftwareVulnerabilities"} {
		r := tvmexport.Run{ID: tvmexport.RunID(fmt.Sprint(i)), Table: tvmexport.Table{Name: name}}
		h.Started(r)
		h.Planned(r, 1200, 1)
		h.Fetched(r, tvmexport.Slice{}, tvmexport.Answer{Rows: 600, Bytes: 1000})
		if i == 0 {
			h.Committed(r, 600)
		}
	}
	b.Close()
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	for _, line := range lines {
		if Width(line) > 60 {
			t.Errorf("%q has %d columns", line, Width(line))
		}
	}
	if last := lines[len(lines)-1]; !strings.HasPrefix(last, "1 of 3 tables done, 1,200 rows") {
		t.Errorf("the last line is %q in:\n%s", last, out.String())
	}
	h.Started(tvmexport.Run{Table: tvmexport.Table{Name: "DeviceInfo"}}) // too late: not drawn, and no panic
}
