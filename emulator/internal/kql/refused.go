package kql

import "strings"

// refusedFunctions are functions of the service, and of advanced hunting, that
// are not evaluated here. They are refused by name, so that none looks like one
// that the service does not have.
var refusedFunctions = func() map[string]bool {
	names := map[string]bool{}
	for name := range strings.FieldsSeq(`all around beta_cdf beta_inv beta_pdf buildschema cnt convert_angle convert_energy
		convert_force convert_length convert_mass convert_speed convert_temperature convert_volume current_cursor current_node_id
		datetime_list_timezones dcount_hll entity_group external_table graph hash_combine hash_many hll hll_if
		hll_isvalid hll_merge inner_nodes iscolumnexists labels make_dictionary map merge_tdigest node_degree_in node_degree_out
		node_id parse_user_agent parse_xml passthrough percentile_tdigest
		percentiles_array_tdigest percentrank_tdigest punycode_domain_to_string rank_tdigest row_id rowstore_ordinal_range
		series_decompose series_decompose_anomalies series_decompose_forecast series_fft series_fit_2lines_dynamic
		series_fit_poly series_ifft series_outliers series_periods_detect series_periods_validate series_seasonal
		stored_query_result tdigest tdigest_isvalid tdigest_merge welch_test
		FileProfile DeviceFromIP SeenBy
		row_rank cursor_after cursor_before_or_at cursor_current current_principal_details current_cluster_endpoint`) {
		names[name] = true
	}
	return names
}()

func isRefused(name string) bool { return refusedFunctions[name] || strings.HasPrefix(name, "geo_") }
