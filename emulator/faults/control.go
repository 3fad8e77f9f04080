package faults

import (
	"cmp"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strconv"
	"strings"
)

// maxRules bounds the body that ServeHTTP reads.
const maxRules = 4 << 20

// ServeHTTP is the control API of the set: POST activates one rule or a list of
// rules and returns their ids, GET lists the rules with their counts, DELETE removes
// all of them, or with ?id=N one. With ?tenant=NAME, POST limits rules to that tenant, and GET and
// DELETE are about the rules that are limited to it.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	tenant := r.URL.Query().Get("tenant")
	switch r.Method {
	case http.MethodGet:
		reply(w, http.StatusOK, slices.DeleteFunc(s.List(), func(a Report) bool { return tenant != "" && !strings.EqualFold(a.Tenant, tenant) }))
	case http.MethodPost:
		body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRules))
		if err != nil {
			replyError(w, http.StatusBadRequest, "read the rules: "+err.Error())
			return
		}
		rules, err := Parse(body)
		if err != nil {
			replyError(w, http.StatusBadRequest, err.Error())
			return
		}
		for i := range rules {
			rules[i].Tenant = cmp.Or(rules[i].Tenant, tenant)
		}
		ids, err := s.Add(rules...)
		if err != nil {
			replyError(w, http.StatusBadRequest, err.Error())
			return
		}
		reply(w, http.StatusOK, map[string]any{"ids": ids})
	case http.MethodDelete:
		s.serveDelete(w, r)
	default:
		w.Header().Set("Allow", "GET, POST, DELETE")
		replyError(w, http.StatusMethodNotAllowed, "use GET, POST or DELETE")
	}
}

func (s *Set) serveDelete(w http.ResponseWriter, r *http.Request) {
	text := r.URL.Query().Get("id")
	if text == "" {
		s.ClearTenant(r.URL.Query().Get("tenant"))
		reply(w, http.StatusOK, map[string]any{})
		return
	}
	id, err := strconv.Atoi(text)
	if err != nil || !s.Remove(id) {
		replyError(w, http.StatusNotFound, "no rule has the id "+strconv.Quote(text))
		return
	}
	reply(w, http.StatusOK, map[string]any{})
}

func replyError(w http.ResponseWriter, status int, text string) {
	reply(w, status, map[string]string{"error": text})
}

func reply(w http.ResponseWriter, status int, document any) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(status)
	// Only the connection can fail here, and then nobody reads the answer.
	_ = json.NewEncoder(w).Encode(document)
}
