package assessment

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"time"

	"github.com/tvmexport/tvmexport"
	"github.com/tvmexport/tvmexport/defender"
	"github.com/tvmexport/tvmexport/internal/wire"
)

var errListing = errors.New("the list of files is not in the documented form")

// readListing reads the answer to a call for files
// (https://learn.microsoft.com/defender-endpoint/api/get-assessment-software-vulnerabilities,
// section 2).
func readListing(s *wire.Stream, endpoint *url.URL, suffixes []string) (tvmexport.Listing, error) {
	var answer struct {
		ExportFiles   *[]string
		GeneratedTime time.Time
		Error         json.RawMessage
	}
	err := s.Value(func(text []byte) error {
		if json.Unmarshal(text, &answer) != nil { // its reason quotes the text
			return errListing
		}
		return nil
	})
	if err == nil {
		err = atEnd(s)
	}
	if err != nil {
		return tvmexport.Listing{}, err
	}
	switch {
	case answer.ExportFiles == nil && len(answer.Error) > 0:
		return tvmexport.Listing{}, defender.ErrorInside(answer.Error)
	case answer.ExportFiles == nil:
		return tvmexport.Listing{}, fmt.Errorf("%w: it has no exportFiles", errListing)
	case answer.GeneratedTime.IsZero():
		return tvmexport.Listing{}, fmt.Errorf("%w: it has no generatedTime, which names its version", errListing)
	}
	l := tvmexport.Listing{Version: versionAt(answer.GeneratedTime), At: answer.GeneratedTime.UTC()}
	for _, address := range *answer.ExportFiles {
		u, err := checkFile(endpoint, suffixes, address)
		if err != nil {
			return tvmexport.Listing{}, err
		}
		l.Units = append(l.Units, fileUnit(l.Version, u))
	}
	return l, nil
}
