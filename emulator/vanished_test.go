package emulator_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/tvmexport/tvmexport/emulator"
)

// A device that is silent by the control API expires, in the answers of the services and
// with a reason in those of the control API.
func TestControlOfSilence(t *testing.T) {
	quota := emulator.NoQuota()
	e, p := newEmulator(t, emulator.Options{Devices: 12, CVEs: 20_000, Quota: &quota, ChangeRate: 0.0001, Now: morning})
	c := newExportClient(p)
	post := func(call, body string) (int, string) {
		t.Helper()
		resp, err := c.client.Post(p.at.Control+call, "application/json", strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		var answer struct{ Device, Error string }
		if err := json.Unmarshal(text, &answer); err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if (answer.Error == "") != (resp.StatusCode == http.StatusOK) {
			t.Errorf("%s %s: %d %s", call, body, resp.StatusCode, text)
		}
		return resp.StatusCode, answer.Device
	}
	rowsOf := func(id string) (n int, name string) {
		rows, _ := c.walk(p.at.XDR+"/api/machines/SoftwareVulnerabilitiesByMachine", nil)
		for _, row := range rows {
			if row["deviceId"] == id {
				n++
				name, _ = row["deviceName"].(string)
			}
		}
		return n, name
	}
	id := ""
	first, _ := c.walk(p.at.XDR+"/api/machines/SoftwareVulnerabilitiesByMachine", nil)
	for _, row := range first {
		if id, _ = row["deviceId"].(string); len(id) == 40 {
			break
		}
	}
	began := e.Tenant().Now()
	had, name := rowsOf(id)
	_, other := post("/reinstall", fmt.Sprintf(`{"device": %q}`, id))
	if status, _ := post("/silence", fmt.Sprintf(`{"device": %q}`, id)); status != 400 {
		t.Errorf("a silent device is made silent: %d", status)
	}
	for _, body := range []string{"", `{"device": "none"}`, `{"devices": 1}`} {
		for _, call := range []string{"/silence", "/retire"} {
			if status, _ := post(call, body); status != 400 {
				t.Errorf("%s %s: %d", call, body, status)
			}
		}
	}
	if _, err := c.client.Post(p.at.Control+"/advance", "", strings.NewReader(`{"days": 30}`)); err != nil {
		t.Fatal(err)
	}
	if n, _ := rowsOf(id); n != 0 {
		t.Errorf("after a month of silence the device has %d of %d rows", n, had)
	}
	if n, is := rowsOf(other); n == 0 || is != name {
		t.Errorf("the device %s, reinstalled as %s, has %d rows and is called %s", name, other, n, is)
	}

	status, body := c.get(p.at.Control + "/vanished?rows=1&q=TvmSoftwareVulnerabilities&from=" + url.QueryEscape(began.Format("2006-01-02T15:04:05Z")))
	if status != 200 {
		t.Fatalf("%d %s", status, body)
	}
	answer, err := e.Tenant().Vanished(t.Context(), "TvmSoftwareVulnerabilities", began, e.Tenant().Now())
	if err != nil || len(answer.Rows) != bytes.Count(body, []byte("\n")) {
		t.Errorf("%d rows in Go: %v", len(answer.Rows), err)
	}
	expired := 0
	for line := range bytes.Lines(body) {
		var row struct{ DeviceId, SoftwareName, SoftwareVersion, VanishedAt, Reason string }
		if err := json.Unmarshal(line, &row); err != nil {
			t.Fatalf("%s: %v", line, err)
		}
		if row.DeviceId == id && row.Reason == "expired" && row.VanishedAt > began.Format("2006-01-02") {
			expired++
		}
	}
	if expired != had {
		t.Errorf("%d rows expired, the device had %d", expired, had)
	}
	for _, query := range []string{"", "?q=DeviceInfo", "?q=TvmCertificates&from=yesterday", "?q=TvmCertificates&to=x"} {
		if status, body := c.get(p.at.Control + "/vanished" + query); status != 400 || !bytes.Contains(body, []byte(`"error"`)) {
			t.Errorf("/vanished%s: %d %s", query, status, body)
		}
	}
	if status, _ := post("/retire", fmt.Sprintf(`{"device": %q}`, other)); status != 200 {
		t.Errorf("/retire: %d", status)
	}
	if _, err := c.client.Post(p.at.Control+"/advance", "", strings.NewReader(`{"hours": 6}`)); err != nil {
		t.Fatal(err)
	}
	if n, _ := rowsOf(other); n != 0 {
		t.Errorf("the retired device has %d rows", n)
	}
	if status, body := c.get(p.at.Control + "/vanished?q=TvmCertificates&to=2026-11-20T00:00:00Z"); status != 200 || !bytes.Contains(body, []byte(`"rows":0`)) {
		t.Errorf("before the beginning: %d %s", status, body)
	}
}
