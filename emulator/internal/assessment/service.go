package assessment

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/tvmexport/tvmexport/emulator/entra"
	"github.com/tvmexport/tvmexport/emulator/internal/callquota"
	"github.com/tvmexport/tvmexport/emulator/internal/storage"
	"github.com/tvmexport/tvmexport/emulator/internal/tenant"
)

// Quota is what the APIs allow. A zero field is no limit. Whether the limits count calls
// of one path or of all is not documented; here each path has its own.
type Quota struct {
	PagesPerMinute, PagesPerHour int // calls for pages, changes among them
	FilesPerMinute, FilesPerHour int // calls for the addresses of files
}

// Documented is the quota of the pages of 2026, such as
// https://learn.microsoft.com/defender-endpoint/api/get-assessment-software-vulnerabilities.
func Documented() Quota { return Quota{30, 1000, 5, 20} }

// Options says what a Service answers from. All but Quota, Now and DevicesPerFile are
// required.
type Options struct {
	Tenant *tenant.Tenant
	// TenantID is the organisation in the names of files, in lower case.
	TenantID string
	// Verify checks a bearer token for one of the audiences.
	Verify func(ctx context.Context, token string, audiences ...string) (entra.Claims, error)
	// Storage holds the files, once Serve has made their container. Base and HostForm are as
	// storage.Storage.URL takes them.
	Storage  *storage.Storage
	Base     string
	HostForm bool

	Quota Quota
	// Now is the wall clock, of quotas and signatures; nil means time.Now.
	Now func() time.Time
	// DevicesPerFile is how many devices of one group are in a file;
	// DefaultDevicesPerFile if not positive.
	DevicesPerFile int
}

// DefaultDevicesPerFile makes a few hundred files of a tenant with 200,000 devices.
const DefaultDevicesPerFile = 500

// Service is the export assessment APIs of one tenant. It is safe for concurrent use.
type Service struct {
	o      Options
	parts  partsCache
	mu     sync.Mutex
	limits map[string]*callquota.Windows // by path
	stats  map[string]*Stats             // by data set
}

// Stats is what was asked about a data set.
type Stats struct {
	Calls    int64 `json:"calls"`    // requests, with any outcome
	Failures int64 `json:"failures"` // of these answered with an error
	Rows     int64 `json:"rows"`     // rows of pages
	Bytes    int64 `json:"bytes"`    // of pages
	Files    int64 `json:"files"`    // files whose content was made
}

// audiences are those of tokens: that of Defender for Endpoint, on every host.
var audiences = []string{
	"https://api.securitycenter.microsoft.com", "https://api.security.microsoft.com",
	"https://securitycenter.onmicrosoft.com/windowsatpservice", "fc780465-2017-40d4-a0c5-307022471b92",
	"https://api-gcc.securitycenter.microsoft.us", "https://api-gov.securitycenter.microsoft.us",
}

// container is where the files are.
var container = storage.Resource{Kind: storage.Blob, Account: "tvmexportstrprdeus", Name: "tvm-export"}

// New makes a Service.
func New(o Options) (*Service, error) {
	if o.Tenant == nil || o.Verify == nil || o.Storage == nil || o.Base == "" || o.TenantID == "" {
		return nil, fmt.Errorf("assessment: Tenant, TenantID, Verify, Storage and Base are required")
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.DevicesPerFile <= 0 {
		o.DevicesPerFile = DefaultDevicesPerFile
	}
	s := &Service{o: o, limits: map[string]*callquota.Windows{}, stats: map[string]*Stats{}}
	return s, nil
}

// Serve makes the container of the files of all tenants. find returns the service of a tenant by
// its id, or nil.
func Serve(files *storage.Storage, find func(tenantID string) *Service) {
	files.Generate(container, func(ctx context.Context, name string, w io.Writer) error {
		s := find(organisationOf(name))
		if s == nil {
			return storage.ErrNoContent
		}
		return s.writeFile(ctx, name, w)
	})
}

// Add is the sum of what two tenants did.
func (s Stats) Add(t Stats) Stats {
	return Stats{s.Calls + t.Calls, s.Failures + t.Failures, s.Rows + t.Rows, s.Bytes + t.Bytes, s.Files + t.Files}
}

// Stats are the counters of each data set that was asked for.
func (s *Service) Stats() map[string]Stats {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := make(map[string]Stats, len(s.stats))
	for name, c := range s.stats {
		all[name] = *c
	}
	return all
}

func (s *Service) count(name string, add func(*Stats)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.stats[name] == nil {
		s.stats[name] = &Stats{}
	}
	add(s.stats[name])
}

// admit counts a call for a path against its limits.
func (s *Service) admit(path string, files bool) *callquota.Throttle {
	q := s.o.Quota
	minute, hour := q.PagesPerMinute, q.PagesPerHour
	if files {
		minute, hour = q.FilesPerMinute, q.FilesPerHour
	}
	s.mu.Lock()
	w := s.limits[path]
	if w == nil {
		var limits []callquota.Limit
		if minute > 0 {
			limits = append(limits, callquota.Limit{Kind: "minute", Length: time.Minute, Most: minute})
		}
		if hour > 0 {
			limits = append(limits, callquota.Limit{Kind: "hour", Length: time.Hour, Most: hour})
		}
		w = callquota.New(limits...)
		s.limits[path] = w
	}
	s.mu.Unlock()
	return w.Admit(s.o.Now())
}

// ServeHTTP answers a call.
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	id := uuid.NewString()
	w.Header().Set("request-id", id)
	w.Header().Set("Date", s.o.Tenant.Now().UTC().Format(http.TimeFormat)) // which may be days ahead
	asked, files, ok := find(r.URL.Path)
	if !ok {
		refuse(w, id, &failure{status: http.StatusNotFound, code: "NotFound", message: "Resource " + r.URL.Path + " was not found"})
		return
	}
	s.count(asked.name, func(c *Stats) { c.Calls++ })
	if err := s.serve(w, r, asked, files); err != nil {
		s.count(asked.name, func(c *Stats) { c.Failures++ })
		refuse(w, id, err)
	}
}

func (s *Service) serve(w http.ResponseWriter, r *http.Request, asked set, files bool) *failure {
	if r.Method != http.MethodGet {
		return &failure{status: http.StatusMethodNotAllowed, code: "BadRequest", message: "The HTTP method " + r.Method + " is not supported; use GET."}
	}
	if err := s.authorize(r, asked); err != nil {
		return err
	}
	if t := s.admit(strings.ToLower(r.URL.Path), files); t != nil {
		return &failure{status: http.StatusTooManyRequests, throttle: t}
	}
	q, err := readParameters(r.URL.RawQuery, asked, files)
	if err != nil {
		return err
	}
	if files {
		return s.serveFiles(w, asked, q)
	}
	return s.servePage(w, r, asked, q)
}

// authorize checks the token and the application permission.
func (s *Service) authorize(r *http.Request, asked set) *failure {
	token, err := entra.Bearer(r)
	if err != nil {
		return unauthorized()
	}
	claims, err := s.o.Verify(r.Context(), token, audiences...)
	if err != nil {
		return unauthorized()
	}
	if !claims.HasRole(asked.role) {
		return &failure{status: http.StatusForbidden, code: "Forbidden", message: "Missing application roles. API required roles: " + asked.role}
	}
	return nil
}
