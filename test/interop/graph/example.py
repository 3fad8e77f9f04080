import asyncio, json
from azure.identity import ClientSecretCredential
from kiota_authentication_azure.azure_identity_authentication_provider import AzureIdentityAuthenticationProvider
from msgraph import GraphRequestAdapter, GraphServiceClient
from msgraph.generated.security.microsoft_graph_security_run_hunting_query import run_hunting_query_post_request_body as body

async def hunt(ready, query):
    credential = ClientSecretCredential(ready["tenantId"], ready["clientId"], ready["clientSecret"],
                                        authority=ready["authority"], disable_instance_discovery=True)
    sign_in = AzureIdentityAuthenticationProvider(credential, scopes=["https://graph.microsoft.com/.default"], allowed_hosts=["127.0.0.1"])
    client = GraphServiceClient(request_adapter=GraphRequestAdapter(sign_in))
    client.request_adapter.base_url = ready["graph"] + "/v1.0"
    return await client.security.microsoft_graph_security_run_hunting_query.post(body.RunHuntingQueryPostRequestBody(query=query))

for row in asyncio.run(hunt(json.load(open("ready.json")), "print Answer = 6 * 7")).results:
    print(row.additional_data["Answer"])
