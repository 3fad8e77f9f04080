// Package reasons exports tenants whose rows vanish, and holds the reasons that Changes
// gives against what the emulator did to each row.
package reasons
