import { readFile } from "node:fs/promises";
import { ClientSecretCredential } from "@azure/identity";
import { Client, KustoConnectionStringBuilder } from "azure-kusto-data";

const ready = JSON.parse(await readFile("ready.json", "utf8"));
const options = { authorityHost: ready.authority, disableInstanceDiscovery: true };
const credential = new ClientSecretCredential(ready.tenantId, ready.clientId, ready.clientSecret, options);
const client = new Client(KustoConnectionStringBuilder.withTokenCredential(ready.kusto, credential));
const answer = await client.execute(ready.database, "print Answer = 6 * 7");
for (const row of answer.primaryResults[0].rows()) console.log(row.Answer);
