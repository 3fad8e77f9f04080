package engine

import "testing"

// TestPolicyShapes gives each policy JSON that is not what its page has.
func TestPolicyShapes(t *testing.T) {
	good := map[string][]string{
		policyRetention:  {`{}`, `{"SoftDeletePeriod":"30.00:00:00","Recoverability":"disabled"}`, `{"SoftDeletePeriod":null,"More":1}`},
		policyCaching:    {`{"DataHotSpan":"1.00:00:00","IndexHotSpan":{"Value":"2.00:00:00"}}`, `{"DataHotSpan":null}`},
		policyBatching:   {`{"MaximumBatchingTimeSpan":"00:00:10"}`},
		policyStreaming:  {`{"IsEnabled":true,"HintAllocatedRate":2.1}`, `{"HintAllocatedRate":null}`},
		policyMerge:      {`{"AllowMerge":false}`},
		policyUpdate:     {`[]`, `[{"IsEnabled":true,"Source":"T","Query":"T"}]`},
		policyRestricted: {`true`, `{"IsEnabled":false}`},
		"ingestiontime":  {`false`, `{"IsEnabled":true}`},
		"auto_delete":    {`{"ExpiryDate":"2027-01-01","DeleteIfNotEmpty":true}`},
		"sharding":       {`{"MaxRowCount":1000}`}, "encoding": {`{}`}, "roworder": {`{}`}, "partitioning": {`{"PartitionKeys":[]}`},
		"extent_tags_retention": {`[{"TagPrefix":"drop-by:","RetentionPeriod":"1.00:00:00"}]`},
	}
	for name := range policyTitles {
		if name == policyRowLevel {
			continue // has a form of its own
		}
		if len(good[name]) == 0 {
			t.Errorf("%s has no case", name)
		}
		for _, text := range good[name] {
			if err := checkPolicy(name, text); err != nil {
				t.Errorf("%s %s: %v", name, text, err)
			}
		}
		for _, text := range []string{`[1]`, `1`, `"x"`, `{"IsEnabled":`, ``, `[[]]`} {
			if checkPolicy(name, text) == nil {
				t.Errorf("%s %s is accepted", name, text)
			}
		}
	}
	for name, texts := range map[string][]string{
		policyRetention:         {`{"SoftDeletePeriod":"soon"}`, `{"SoftDeletePeriod":30}`, `{"Recoverability":"Maybe"}`, `{"Recoverability":true}`, `[]`},
		policyCaching:           {`{"DataHotSpan":7}`, `{"DataHotSpan":{"Value":"x"}}`, `[]`},
		policyStreaming:         {`{"IsEnabled":"true"}`, `{"IsEnabled":1}`, `{"HintAllocatedRate":"2"}`, `true`},
		policyMerge:             {`{"AllowMerge":"no"}`},
		policyUpdate:            {`{}`, `[{"IsEnabled":"true"}]`, `[{"Source":7}]`},
		policyRestricted:        {`{"IsEnabled":"true"}`, `[true]`},
		"auto_delete":           {`{"ExpiryDate":"someday"}`, `{"DeleteIfNotEmpty":"yes"}`},
		"extent_tags_retention": {`{}`, `[{"TagPrefix":1}]`, `[{"RetentionPeriod":"x"}]`},
		"sharding":              {`{"MaxRowCount":"many"}`},
	} {
		for _, text := range texts {
			if checkPolicy(name, text) == nil {
				t.Errorf("%s %s is accepted", name, text)
			}
		}
	}
}
