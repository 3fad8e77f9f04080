package tenant

import "github.com/tvmexport/tvmexport/emulator/internal/kql/value"

// exportedBaselines follows https://learn.microsoft.com/defender-endpoint/api/export-security-baseline-assessment.
var exportedBaselines = exportOf("TvmBaselineCompliance", &baselineAssessment, func(r *complied) *device { return r.device }, nil,
	ofRecord("Id", value.String, func(r *complied) value.Value {
		return value.NewString(r.device.id + "_" + r.profile.id() + "_" + r.rule.id)
	}),
	same(&baselineAssessment, "ConfigurationId"), deviceIDColumn[complied](), deviceNameColumn[complied](), same(&baselineAssessment, "ProfileId"),
	platformColumn[complied]("OSPlatform"), systemColumn[complied]("OSVersion"),
	same(&baselineAssessment, "IsApplicable"), same(&baselineAssessment, "IsCompliant"),
	ofRecord("DataCollectionTimeOffset", value.DateTime, func(r *complied) value.Value {
		if r.place.at(ofText, 4, 0).permille(30) {
			return value.Null(value.DateTime) // nothing was collected
		}
		return value.DateTimeFromTicks(r.device.seen().ticks)
	}),
	ofRecord("ComplianceCalculationTimeOffset", value.DateTime, func(r *complied) value.Value {
		return value.DateTimeFromTicks(r.device.seen().ticks + 20*value.TicksPerMinute)
	}),
	ofRecord("RecommendedValue", value.Dynamic, func(r *complied) value.Value {
		return texts(pick(r.rule.dice.at(ofText, 7, 0), ruleValues))
	}),
	ofRecord("CurrentValue", value.Dynamic, func(r *complied) value.Value {
		return texts(pick(r.place.at(ofText, 2, r.flipped), ruleValues))
	}),
	ofRecord("Source", value.Dynamic, func(r *complied) value.Value { return texts(pick(r.rule.dice.at(ofText, 6, 0), ruleSources)) }),
	groupIDColumn[complied](), groupNameColumn[complied](),
)

// texts is a dynamic as an array of texts.
func texts(v value.Value) value.Value {
	list, ok := v.Array()
	if !ok {
		if v.IsNull() {
			return emptyArray
		}
		list = []value.Value{v}
	}
	all := make([]string, len(list))
	for i, e := range list {
		if text, ok := e.Scalar(); ok && text.Kind() == value.String {
			all[i] = text.Text()
		} else {
			all[i] = string(e.AppendJSON(nil))
		}
	}
	return textArray(all)
}
