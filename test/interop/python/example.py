import json
from azure.identity import ClientSecretCredential
from azure.kusto.data import KustoClient, KustoConnectionStringBuilder

ready = json.load(open("ready.json"))
credential = ClientSecretCredential(ready["tenantId"], ready["clientId"], ready["clientSecret"],
                                    authority=ready["authority"], disable_instance_discovery=True)
client = KustoClient(KustoConnectionStringBuilder.with_azure_token_credential(ready["kusto"], credential))
for row in client.execute(ready["database"], "print Answer = 6 * 7").primary_results[0]:
    print(row["Answer"])
