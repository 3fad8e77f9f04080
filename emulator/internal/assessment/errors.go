package assessment

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/tvmexport/tvmexport/emulator/internal/callquota"
)

// failure is an error answer
// (https://learn.microsoft.com/defender-endpoint/api/common-errors).
type failure struct {
	status   int
	code     string
	message  string
	throttle *callquota.Throttle // 429
}

func unauthorized() *failure {
	return &failure{status: http.StatusUnauthorized, code: "Unauthorized", message: "Unauthorized (invalid or expired authorization header)."}
}

// invalid refuses the value of a parameter.
func invalid(format string, args ...any) *failure {
	return &failure{status: http.StatusBadRequest, code: "InvalidInput", message: fmt.Sprintf(format, args...)}
}

// refuse sends a failure. target is the id of the request, to give to the support.
func refuse(w http.ResponseWriter, id string, f *failure) {
	h := w.Header()
	switch {
	case f.throttle != nil:
		f.code = "TooManyRequests"
		f.message = fmt.Sprintf("API calls quota exceeded! maximum allowed %d per %s. You can run again in %d seconds",
			f.throttle.Most, f.throttle.Window.Round(time.Second), f.throttle.Seconds())
		h.Set("Retry-After", strconv.Itoa(f.throttle.Seconds()))
	case f.status == http.StatusUnauthorized:
		h.Set("WWW-Authenticate", `Bearer error="invalid_token"`)
	}
	body, err := json.Marshal(map[string]any{"error": map[string]string{"code": f.code, "message": f.message, "target": id}})
	if err != nil { // texts can always be marshalled
		body = nil
	}
	h.Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(f.status)
	_, _ = w.Write(body) // only the connection can fail, and then nobody reads the answer
}
