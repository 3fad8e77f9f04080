package main

import (
	"runtime/debug"
	"testing"
)

// The linker's values win; then the build information; a build without either says so.
func TestBuildStamp(t *testing.T) {
	clone := []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "0123abcd"}, {Key: "vcs.modified", Value: "false"}}
	dirty := []debug.BuildSetting{{Key: "vcs.modified", Value: "true"}, {Key: "vcs.revision", Value: "0123abcd"}}
	build := func(version string, settings []debug.BuildSetting) *debug.BuildInfo {
		return &debug.BuildInfo{Main: debug.Module{Version: version}, Settings: settings}
	}
	for name, c := range map[string]struct {
		version, revision         string
		info                      *debug.BuildInfo
		wantVersion, wantRevision string
	}{
		"make build":               {"v1.2.3", "fedc9876", build("v1.2.4-0.20261129000000-0123abcd", clone), "v1.2.3", "fedc9876"},
		"go install from a proxy":  {"", "", build("v1.2.3", nil), "v1.2.3", "unknown"},
		"go install of a commit":   {"", "", build("v0.0.0-20261129000000-0123abcd4567", nil), "v0.0.0-20261129000000-0123abcd4567", "0123abcd4567"},
		"a commit after a tag":     {"", "", build("v1.2.4-0.20261129000000-0123abcd4567", nil), "v1.2.4-0.20261129000000-0123abcd4567", "0123abcd4567"},
		"after a pre-release":      {"", "", build("v1.3.0-rc.1.0.20261129000000-0123abcd4567", nil), "v1.3.0-rc.1.0.20261129000000-0123abcd4567", "0123abcd4567"},
		"changes after a commit":   {"", "", build("v0.0.0-20261129000000-0123abcd4567+dirty", clone), "v0.0.0-20261129000000-0123abcd4567+dirty", "0123abcd"},
		"a pre-release":            {"", "", build("v1.3.0-rc.1", nil), "v1.3.0-rc.1", "unknown"},
		"go build in a clone":      {"", "", build("v0.0.0-20261129000000-0123abcd", clone), "v0.0.0-20261129000000-0123abcd", "0123abcd"},
		"changed files":            {"", "", build("(devel)", dirty), "development", "0123abcd-dirty"},
		"changes and no commit":    {"", "", build("(devel)", dirty[:1]), "development", "unknown"},
		"a version and no commit":  {"v1.2.3", "", build("", nil), "v1.2.3", "unknown"},
		"no build information":     {"", "", nil, "development", "unknown"},
		"an image without its Git": {"v1.2.3", "fedc9876", nil, "v1.2.3", "fedc9876"},
	} {
		version, revision := buildStamp(c.version, c.revision, c.info)
		if version != c.wantVersion || revision != c.wantRevision {
			t.Errorf("%s: %s, %s; want %s, %s", name, version, revision, c.wantVersion, c.wantRevision)
		}
	}
}
