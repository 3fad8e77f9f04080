import com.azure.identity.ClientSecretCredentialBuilder;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.microsoft.azure.kusto.data.ClientFactory;
import com.microsoft.azure.kusto.data.auth.ConnectionStringBuilder;
import java.io.File;

class Example {
    public static void main(String[] arguments) throws Exception {
        var ready = new ObjectMapper().readTree(new File("ready.json"));
        var credential = new ClientSecretCredentialBuilder().tenantId(ready.get("tenantId").asText())
            .clientId(ready.get("clientId").asText()).clientSecret(ready.get("clientSecret").asText())
            .authorityHost(ready.get("authority").asText()).disableInstanceDiscovery().build();
        var client = ClientFactory.createClient(ConnectionStringBuilder.createWithTokenCredential(ready.get("kusto").asText(), credential));
        var rows = client.executeQuery(ready.get("database").asText(), "print Answer = 6 * 7").getPrimaryResults();
        while (rows.next()) System.out.println(rows.getLong("Answer"));
        System.exit(0); // the client's threads would keep the process for a while
    }
}
