import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.concurrent.Executors;

/** A server of HTTP on a free port, which it prints, until its input ends. */
class Server {
  public static void main(String[] args) throws Exception {
    HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", 0), 0);
    server.setExecutor(Executors.newFixedThreadPool(4));
    server.createContext("/", exchange -> {
      exchange.getRequestBody().readAllBytes();
      String[] path = exchange.getRequestURI().getPath().split("/");
      boolean head = exchange.getRequestMethod().equals("HEAD");
      switch (path[1]) {
        case "bytes" -> {
          byte[] body = new byte[Integer.parseInt(path[2])];
          exchange.sendResponseHeaders(200, head ? -1 : body.length);
          if (!head) {
            exchange.getResponseBody().write(body);
          }
        }
        case "chunks" -> {
          exchange.sendResponseHeaders(200, 0);
          for (int i = 0; i < Integer.parseInt(path[2]); i++) {
            exchange.getResponseBody().write(new byte[3000]);
            exchange.getResponseBody().flush();
          }
        }
        case "status" -> exchange.sendResponseHeaders(Integer.parseInt(path[2]), -1);
        default -> exchange.sendResponseHeaders(200, -1);
      }
      exchange.close();
    });
    server.start();
    System.out.println("127.0.0.1:" + server.getAddress().getPort());
    System.in.readAllBytes();
    System.exit(0);
  }
}
