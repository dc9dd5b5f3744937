import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/**
 * Client VERSION ADDRESS COUNT 'METHOD /path [SIZE]'...: makes requests, on four threads at once,
 * and prints their record as JSON; times are monotonic. With HTTP_2 it offers the upgrade to it.
 */
class Client {
  public static void main(String[] args) throws Exception {
    HttpClient client = HttpClient.newBuilder().version(HttpClient.Version.valueOf(args[0])).build();
    List<String> outcomes = Collections.synchronizedList(new ArrayList<>());
    List<Thread> workers = new ArrayList<>();
    for (int w = 0; w < 4; w++) {
      int first = w;
      workers.add(new Thread(() -> {
        for (int i = first; i < Integer.parseInt(args[2]); i += 4) {
          outcomes.add(request(client, args[1], args[3 + i % (args.length - 3)].split(" ")));
        }
      }));
    }
    for (Thread w : workers) {
      w.start();
    }
    for (Thread w : workers) {
      w.join();
    }
    System.out.println(outcomes);
    System.exit(0);
  }

  static String request(HttpClient client, String address, String[] what) {
    var body = what.length > 2 ? BodyPublishers.ofByteArray(new byte[Integer.parseInt(what[2])]) : BodyPublishers.noBody();
    var request = HttpRequest.newBuilder(URI.create("http://" + address + what[1])).method(what[0], body).build();
    try {
      long start = System.nanoTime();
      int status = client.send(request, BodyHandlers.ofByteArray()).statusCode();
      return String.format("{\"Method\": \"%s\", \"Path\": \"%s\", \"Status\": %d, \"Start\": %d, \"End\": %d}",
          what[0], what[1], status, start, System.nanoTime());
    } catch (Exception e) {
      throw new RuntimeException(e);
    }
  }
}
