package faults

import (
	"bytes"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"unicode/utf8"
)

// The values of Rule.Values.
const (
	nullValues    = "null"
	retypedValues = "retyped"
)

// rewriting collects an answer and sends it with other rows.
type rewriting struct {
	http.ResponseWriter
	rule   Rule
	status int
	body   bytes.Buffer
}

func (d *rewriting) WriteHeader(status int)      { d.status = status }
func (d *rewriting) Write(p []byte) (int, error) { return d.body.Write(p) }

// Unwrap is missing on purpose: a flush would send what is still to be changed.

func (d *rewriting) finish() {
	d.Header().Del("Content-Length")
	if d.status != 0 {
		d.ResponseWriter.WriteHeader(d.status)
	}
	// Only the connection can fail here, and then nobody reads the answer.
	_, _ = d.ResponseWriter.Write(d.rule.rewrite(d.body.Bytes()))
}

// rewrite changes the rows of an answer as the rule says. What is no answer with
// rows stays as it is.
func (rule Rule) rewrite(body []byte) []byte {
	return withRows(body, func(rows []json.RawMessage) []json.RawMessage {
		rows = rows[:max(0, len(rows)-rule.DropRows)]
		rows = append(rows, rows[max(0, len(rows)-rule.RepeatRows):]...)
		out := make([]json.RawMessage, len(rows))
		for i, row := range rows {
			out[i] = row
			if rule.Values != "" {
				out[i] = rule.corrupt(row)
			}
			if len(rule.Set) > 0 && (rule.Rows == 0 || i < rule.Rows) {
				out[i] = rule.set(out[i])
			}
		}
		return out
	})
}

// set puts the rule's values into a row, in place of those of the columns that
// it has.
func (rule Rule) set(row json.RawMessage) json.RawMessage {
	object, ok := members(row)
	if !ok {
		return row
	}
	for i, m := range object {
		if v, named := rule.Set[m.name]; named {
			object[i].value = v
		}
	}
	return join(object)
}

// corrupt changes each value of a row, which is an object or an array.
func (rule Rule) corrupt(row json.RawMessage) json.RawMessage {
	if object, ok := members(row); ok {
		for i, m := range object {
			if !strings.Contains(m.name, "@odata") {
				object[i].value = rule.other(m.value)
			}
		}
		return join(object)
	}
	var list []json.RawMessage
	if json.Unmarshal(row, &list) != nil {
		return row
	}
	for i, v := range list {
		list[i] = rule.other(v)
	}
	return joinList(list)
}

// other is the replacement of a value: null, or a value of another type.
func (rule Rule) other(v json.RawMessage) json.RawMessage {
	if rule.Values == nullValues {
		return json.RawMessage("null")
	}
	var text string
	switch {
	case string(v) == "null":
		return v
	case json.Unmarshal(v, &text) == nil:
		return strconv.AppendInt(nil, int64(utf8.RuneCountInString(text)), 10)
	}
	out, err := json.Marshal(string(v))
	if err != nil {
		return v
	}
	return out
}

// withRows lets edit change the rows of an answer: those of the member results,
// whose name each hunting front writes in its own case; of Kusto's first table in
// form v1; of the primary results in form v2. All else stays, counts of rows
// among it, so that an answer can contradict itself.
func withRows(body []byte, edit func([]json.RawMessage) []json.RawMessage) []byte {
	if top, ok := members(body); ok {
		for i, m := range top {
			switch {
			case strings.EqualFold(m.name, "results"):
				if !editLists([]*json.RawMessage{&top[i].value}, edit) {
					return body
				}
				return join(top)
			case m.name == "Tables":
				tables, ok := tableList(m.value, edit)
				if !ok {
					return body
				}
				top[i].value = tables
				return join(top)
			}
		}
		return body
	}
	var frames []json.RawMessage
	if json.Unmarshal(body, &frames) != nil {
		return body
	}
	objects := make([][]member, len(frames))
	var lists []*json.RawMessage
	for i, frame := range frames {
		var head struct{ FrameType, TableKind string }
		object, ok := members(frame)
		if !ok || json.Unmarshal(frame, &head) != nil {
			return body
		}
		objects[i] = object
		if head.FrameType == "TableFragment" || head.FrameType == "DataTable" && head.TableKind == "PrimaryResult" {
			lists = append(lists, rowsOf(object)...)
		}
	}
	if !editLists(lists, edit) {
		return body
	}
	for i, object := range objects {
		frames[i] = join(object)
	}
	return joinFrames(frames, bytes.Contains(body, []byte("\n,{")))
}

// joinFrames makes an answer of frames, each on a line of its own where it was
// so: clients that ask for that read line by line.
func joinFrames(frames []json.RawMessage, lines bool) []byte {
	if !lines {
		return append(joinList(frames), '\n')
	}
	out := []byte{'['}
	for i, f := range frames {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(append(out, f...), '\n')
	}
	return append(out, "]\n"...)
}

// tableList edits the first of a list of tables.
func tableList(list json.RawMessage, edit func([]json.RawMessage) []json.RawMessage) (json.RawMessage, bool) {
	var tables []json.RawMessage
	if json.Unmarshal(list, &tables) != nil || len(tables) == 0 {
		return nil, false
	}
	object, ok := members(tables[0])
	if !ok || !editLists(rowsOf(object), edit) {
		return nil, false
	}
	tables[0] = join(object)
	return joinList(tables), true
}

func rowsOf(object []member) (lists []*json.RawMessage) {
	for i, m := range object {
		if m.name == "Rows" {
			lists = append(lists, &object[i].value)
		}
	}
	return lists
}

// editLists edits the rows of several lists as one: each list gets back as many
// as it had, as long as there are some, and the last one all that are left.
func editLists(lists []*json.RawMessage, edit func([]json.RawMessage) []json.RawMessage) bool {
	var all []json.RawMessage
	sizes := make([]int, len(lists))
	for i, l := range lists {
		var rows []json.RawMessage
		if json.Unmarshal(*l, &rows) != nil {
			return false
		}
		all, sizes[i] = append(all, rows...), len(rows)
	}
	all = edit(all)
	for i, l := range lists {
		n := min(sizes[i], len(all))
		if i == len(lists)-1 {
			n = len(all)
		}
		*l, all = joinList(all[:n]), all[n:]
	}
	return len(lists) > 0
}

// member is one of an object's, in the order in which they came.
type member struct {
	name  string
	value json.RawMessage
}

func members(text []byte) (out []member, ok bool) {
	d := json.NewDecoder(bytes.NewReader(text))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, false
		}
		name, _ := t.(string) // a member's name is a string
		var value json.RawMessage
		if d.Decode(&value) != nil {
			return nil, false
		}
		out = append(out, member{name, value})
	}
	_, err := d.Token()
	return out, err == nil
}

func join(object []member) json.RawMessage {
	out := []byte{'{'}
	for i, m := range object {
		if i > 0 {
			out = append(out, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			name = []byte(`""`) // a string always has a JSON text
		}
		out = append(append(append(out, name...), ':'), m.value...)
	}
	return append(out, '}')
}

func joinList(list []json.RawMessage) json.RawMessage {
	out := []byte{'['}
	for i, v := range list {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(out, v...)
	}
	return append(out, ']')
}
