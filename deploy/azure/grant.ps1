# Gives an identity the application permissions that tvmexport reads Defender with: grant.sh for PowerShell. It uses the
# Azure CLI too. Sign in with az login as a Privileged Role Administrator or a Global Administrator first.
[CmdletBinding()]
param(
    # Object id of the identity: the output principalId of exporter.json.
    [Parameter(Mandatory)] [guid] $PrincipalId,
    # Application permissions of Microsoft Graph or WindowsDefenderATP.
    [string[]] $Permission = @('ThreatHunting.Read.All')
)
$ErrorActionPreference = 'Stop'

$apis = '00000003-0000-0000-c000-000000000000', 'fc780465-2017-40d4-a0c5-307022471b92' # Microsoft Graph, WindowsDefenderATP
$url = "https://graph.microsoft.com/v1.0/servicePrincipals/$PrincipalId/appRoleAssignments"

function Invoke-Az {
    $text = & az @args
    if ($LASTEXITCODE -ne 0) { throw "az $($args -join ' ') failed" }
    if ($text) { $text | Out-String | ConvertFrom-Json }
}

$assigned = (Invoke-Az rest --url $url -o json).value
foreach ($name in $Permission) {
    $found = $false
    foreach ($api in $apis) {
        $service = Invoke-Az ad sp list --filter "appId eq '$api'" -o json | Select-Object -First 1
        $role = $service.appRoles | Where-Object value -EQ $name | Select-Object -First 1
        if (-not $role) { continue }
        $found = $true
        if ($assigned | Where-Object { $_.appRoleId -eq $role.id -and $_.resourceId -eq $service.id }) {
            "${name}: the identity has it"
        } else {
            # A file, because Windows PowerShell removes quotes from arguments.
            $body = New-TemporaryFile
            @{ principalId = "$PrincipalId"; resourceId = $service.id; appRoleId = $role.id } | ConvertTo-Json | Set-Content $body -Encoding ascii
            try { $null = Invoke-Az rest --method POST --url $url --body "@$body" -o json } finally { Remove-Item $body }
            "${name}: granted"
        }
        break
    }
    if (-not $found) { throw "$name is no application permission of Microsoft Graph or WindowsDefenderATP in this tenant" }
}
