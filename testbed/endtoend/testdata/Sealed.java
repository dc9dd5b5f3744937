import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.FileInputStream;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

/**
 * A server and a client with Java's own TLS: "serve PORT KEYSTORE", or "ask KEYSTORE URL..." which prints the status of
 * each answer. Both wait then until their input ends.
 */
public class Sealed {
    static SSLContext context(String file) throws Exception {
        KeyStore keys = KeyStore.getInstance("PKCS12");
        keys.load(new FileInputStream(file), "changeit".toCharArray());
        KeyManagerFactory own = KeyManagerFactory.getInstance("SunX509");
        own.init(keys, "changeit".toCharArray());
        KeyStore trusted = KeyStore.getInstance("PKCS12");
        trusted.load(null, null);
        trusted.setCertificateEntry("test", keys.getCertificate(keys.aliases().nextElement()));
        TrustManagerFactory others = TrustManagerFactory.getInstance("PKIX");
        others.init(trusted);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(own.getKeyManagers(), others.getTrustManagers(), null);
        return context;
    }

    public static void main(String[] args) throws Exception {
        if (args[0].equals("serve")) {
            HttpsServer server = HttpsServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(args[1])), 0);
            server.setHttpsConfigurator(new HttpsConfigurator(context(args[2])));
            server.createContext("/", exchange -> {
                exchange.sendResponseHeaders(204, -1);
                exchange.close();
            });
            server.start();
            System.in.read();
            System.exit(0);
        }
        HttpClient client = HttpClient.newBuilder().sslContext(context(args[1])).build();
        for (int i = 2; i < args.length; i++) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(args[i])).build();
            System.out.println(client.send(request, HttpResponse.BodyHandlers.ofString()).statusCode());
        }
        System.in.read();
    }
}
