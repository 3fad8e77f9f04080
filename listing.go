package tvmexport

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"
)

// ListingSource is a Source whose tables are divided before anyone asks: into the
// files of an export, or the pages of a walk. There is no count to compare rows
// with. A table is complete when every unit of one listing was read to its end.
type ListingSource interface {
	Source

	// List returns the units of the newest state of a table, with one call where
	// that is possible. Two listings of one version have the same units, in the
	// same order, with the same IDs; their links differ.
	List(ctx context.Context, table Table) (Listing, error)

	// FetchUnit reads a unit and writes each of its rows to w, in their order. A
	// nil error means that the unit was read to its end. The answer is complete
	// if the unit proves that: its length, its checksum and the end of its
	// format agree with what was read. Then Counted equals Rows; else it is
	// Missing. A unit without rows is read again, unless the answer is Empty. The
	// answer's Next are the units that only this one names. A unit
	// has the same rows each time. ErrUnitExpired means that its link is no
	// longer valid, and a new listing has another one. What was written before
	// an error is discarded.
	FetchUnit(ctx context.Context, table Table, u Unit, w RowWriter) (Answer, error)
}

// SinceLister is a ListingSource that lists only the rows of a table that have come
// since a time, where the table follows a watermark.
type SinceLister interface {
	// ListSince is List of the rows whose watermark is later than from, and of
	// those without one. It may list earlier rows too. What is earlier than the
	// source keeps is not there, and the listing says so in Gone; a zero from asks
	// for all that it keeps.
	ListSince(ctx context.Context, table Table, from time.Time) (Listing, error)
}

// Listing is the division of one state of a table.
type Listing struct {
	Version string    // names the state, such as the time at which the service generated it
	At      time.Time // when the state was generated, by the source's clock; zero: not known
	Units   []Unit
	Calls   int    // calls made for it, retries too
	Gone    Window // of the watermark: what was asked for and the source no longer keeps; zero: nothing. An open From is the beginning
}

// Unit is a part of a listing that one call reads.
type Unit struct {
	Version string    // of the listing
	ID      string    // names the unit within its version; it is no secret
	Open    bool      // the answer to it named other units, which no listing names; set by the engine
	Rows    int64     // as announced by the listing; Missing: it does not announce them
	Link    Link      // by which the source reads the unit; only the source interprets it
	Expires time.Time // of the link; zero: not known
}

// IsZero returns whether there is no unit.
func (u Unit) IsZero() bool { return u.ID == "" && u.Version == "" }

// Is returns whether both name the same unit, regardless of their links.
func (u Unit) Is(other Unit) bool { return u.Version == other.Version && u.ID == other.ID }

// unitJSON is what is stored of a unit.
type unitJSON struct {
	Version storedText `json:"version"`
	ID      storedText `json:"id"`
	Open    bool       `json:"open,omitempty"`
}

// storedText is a text that a destination stores within JSON. It begins with a
// mark, since Kusto turns a text that looks like a time into another one.
type storedText string

const textMark = "="

// MarshalText implements encoding.TextMarshaler.
func (s storedText) MarshalText() ([]byte, error) { return []byte(textMark + s), nil }

// UnmarshalText implements encoding.TextUnmarshaler.
func (s *storedText) UnmarshalText(text []byte) error {
	*s = storedText(strings.TrimPrefix(string(text), textMark))
	return nil
}

// MarshalJSON writes the identity of the unit, without its link.
func (u Unit) MarshalJSON() ([]byte, error) {
	return json.Marshal(unitJSON{storedText(u.Version), storedText(u.ID), u.Open})
}

// UnmarshalJSON reads what MarshalJSON writes.
func (u *Unit) UnmarshalJSON(text []byte) error {
	var stored unitJSON
	if err := json.Unmarshal(text, &stored); err != nil {
		return err
	}
	*u = Unit{Version: string(stored.Version), ID: string(stored.ID), Open: stored.Open}
	return nil
}

// Link is an address with a signature, which is a secret: it is not formatted
// into messages or JSON.
type Link string

// redacted stands for a link in messages.
const redacted = "(link)"

// String implements fmt.Stringer.
func (Link) String() string { return redacted }

// GoString implements fmt.GoStringer.
func (Link) GoString() string { return redacted }

// MarshalText implements encoding.TextMarshaler.
func (Link) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// ErrUnitExpired is the reason why a unit must be listed again before it can be read.
var ErrUnitExpired = errors.New("the link of the unit has expired")
