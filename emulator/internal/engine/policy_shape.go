package engine

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/tvmexport/tvmexport/emulator/internal/kql/value"
)

// timespanText is a JSON string that is a timespan, or null.
type timespanText struct{}

func (*timespanText) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil || s == nil {
		return err
	}
	if _, ok := value.ParseTimeSpan(*s); !ok {
		return fmt.Errorf("%q is not a timespan", *s)
	}
	return nil
}

// hotSpan is a timespan, or an object with one as its Value.
type hotSpan struct{}

func (*hotSpan) UnmarshalJSON(text []byte) error {
	if bytes.HasPrefix(text, []byte("{")) {
		return json.Unmarshal(text, &struct{ Value timespanText }{})
	}
	return json.Unmarshal(text, new(timespanText))
}

// dateText is a JSON string that is a date and time, or null.
type dateText struct{}

func (*dateText) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil || s == nil {
		return err
	}
	if _, ok := value.ParseDateTime(*s); !ok {
		return fmt.Errorf("%q is not a date and time", *s)
	}
	return nil
}

// recoverability is Enabled or Disabled, or null.
type recoverability struct{}

func (*recoverability) UnmarshalJSON(text []byte) error {
	var s *string
	if err := json.Unmarshal(text, &s); err != nil || s == nil {
		return err
	}
	if !slices.ContainsFunc([]string{"Enabled", "Disabled"}, func(word string) bool { return equalFold(word, *s) }) {
		return fmt.Errorf("Recoverability %q is neither Enabled nor Disabled", *s)
	}
	return nil
}

// onOff is true or false, or an object whose IsEnabled is.
type onOff struct{}

func (*onOff) UnmarshalJSON(text []byte) error {
	if json.Unmarshal(text, new(bool)) == nil {
		return nil
	}
	return json.Unmarshal(text, &struct{ IsEnabled bool }{})
}

// policyShape is where the JSON of a policy must fit, by the pages of
// https://learn.microsoft.com/kusto/management/policies: an object whose known members
// have their types, or an array of such objects. Members that are not known are kept.
func policyShape(name string) any {
	switch name {
	case policyUpdate:
		return &[]updatePolicy{}
	case policyBatching:
		return &batchingJSON{}
	case policyRetention:
		return &struct {
			SoftDeletePeriod timespanText
			Recoverability   recoverability
		}{}
	case policyCaching:
		return &struct {
			DataHotSpan, IndexHotSpan hotSpan
		}{}
	case policyMerge:
		return &struct{ AllowMerge, AllowRebuild bool }{}
	case policyStreaming:
		return &struct {
			IsEnabled         bool
			HintAllocatedRate *float64
		}{}
	case policyRestricted, "ingestiontime":
		return new(onOff)
	case "auto_delete":
		return &struct {
			ExpiryDate       dateText
			DeleteIfNotEmpty bool
		}{}
	case "extent_tags_retention":
		return &[]struct {
			TagPrefix       string
			RetentionPeriod timespanText
		}{}
	case "sharding":
		return &struct {
			MaxRowCount, MaxExtentSizeInMb, MaxOriginalSizeInMb *int64
		}{}
	}
	return &map[string]any{}
}

// batchingJSON is the JSON of a batching policy.
type batchingJSON struct {
	MaximumBatchingTimeSpan string
	MaximumNumberOfItems    int
	MaximumRawDataSizeMB    int
}

// checkPolicy refuses what is not the JSON of the policy.
func checkPolicy(name, text string) error {
	p := policyShape(name)
	if err := json.Unmarshal([]byte(text), p); err != nil {
		var wrong *json.UnmarshalTypeError
		if errors.As(err, &wrong) {
			err = fmt.Errorf("a %s is not what it has there", wrong.Value)
		}
		return fmt.Errorf("the %s policy %q is not valid: %w", name, excerpt(text), err)
	}
	if b, ok := p.(*batchingJSON); ok {
		return checkBatching(b.MaximumBatchingTimeSpan, b.MaximumNumberOfItems, b.MaximumRawDataSizeMB)
	}
	return nil
}
