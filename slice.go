package tvmexport

// Slice is what one call is asked for: the rows of Table that are in Window
// and in one of Partitions.
type Slice struct {
	Table      Table       `json:"-"`
	Window     Window      `json:"window,omitzero"`
	Partitions []Partition `json:"partitions"`     // disjoint, in order; {Whole} for all
	Late       bool        `json:"late,omitempty"` // asked for again: only rows that are missing are published
	Print      bool        `json:"-"`              // the answer is to carry its fingerprint
	Rows       int64       `json:"-"`              // expected; an estimate that nothing rests on
}
