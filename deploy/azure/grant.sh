#!/usr/bin/env bash
# Gives an identity the application permissions that tvmexport reads Defender with. The portal cannot do this for a
# managed identity. Sign in with az login as a Privileged Role Administrator or a Global Administrator first.
#
#   grant.sh PRINCIPAL_ID [PERMISSION...]
#
# PRINCIPAL_ID is the object id of the identity: the output principalId of exporter.json. The default permission is
# ThreatHunting.Read.All of Microsoft Graph, for the tables of Advanced Hunting. tvmexport check names the permissions
# that tables of the export assessment APIs need; those belong to WindowsDefenderATP. Run again, the script changes nothing.
set -euo pipefail

graph=00000003-0000-0000-c000-000000000000    # Microsoft Graph, in every tenant
defender=fc780465-2017-40d4-a0c5-307022471b92 # WindowsDefenderATP
identity=${1:?usage: grant.sh PRINCIPAL_ID [PERMISSION...]}
shift
[ $# -gt 0 ] || set -- ThreatHunting.Read.All

url=https://graph.microsoft.com/v1.0/servicePrincipals/$identity/appRoleAssignments
for permission in "$@"; do
	found=
	for api in "$graph" "$defender"; do
		role=$(az ad sp show --id "$api" --query "appRoles[?value=='$permission'].id | [0]" -o tsv 2>/dev/null || true)
		[ -n "$role" ] || continue
		found=1
		resource=$(az ad sp show --id "$api" --query id -o tsv)
		if [ -n "$(az rest --url "$url" --query "value[?appRoleId=='$role' && resourceId=='$resource'].id" -o tsv)" ]; then
			echo "$permission: the identity has it"
		else
			az rest --method POST --url "$url" --body "{\"principalId\": \"$identity\", \"resourceId\": \"$resource\", \"appRoleId\": \"$role\"}" -o none
			echo "$permission: granted"
		fi
		break
	done
	if [ -z "$found" ]; then
		echo "$permission is no application permission of Microsoft Graph or WindowsDefenderATP in this tenant" >&2
		exit 1
	fi
done
