package config

import _ "embed"

// Example is a complete configuration file with comments.
//
//go:embed example.yaml
var Example string
