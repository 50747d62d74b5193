// The work that ../cases.py describes, with sqlite-jdbc. Usage: java Jdbc DATABASE MODE
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import org.sqlite.SQLiteException;

public class Jdbc {
  static final String INSERT = "INSERT INTO t VALUES(NULL, 'a')";
  static final String AGAIN = "INSERT INTO t VALUES(1, 'again')";
  static final Map<String, String> REASONS =
      Map.of("SQLITE_BUSY", "busy", "SQLITE_BUSY_SNAPSHOT", "busy_snapshot", "SQLITE_CONSTRAINT_PRIMARYKEY", "constraint",
          "SQLITE_CONSTRAINT", "constraint");
  static final Map<String, Integer> seen = new TreeMap<>(Map.of("ok", 0, "busy", 0, "busy_snapshot", 0, "constraint", 0));

  interface Work {
    void run() throws SQLException;
  }

  static void observe() throws SQLException {
    DriverManager.getConnection("jdbc:sqlite::memory:?enable_load_extension=true").createStatement()
        .execute("SELECT load_extension('/usr/lib/x86_64-linux-gnu/outgrown/outgrown_sqlite')");
  }

  static Connection open(String path, int timeout) throws SQLException {
    return DriverManager.getConnection("jdbc:sqlite:" + path + "?busy_timeout=" + timeout);
  }

  static void run(Connection connection, String sql) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(sql);
    }
  }

  static long rows(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement(); ResultSet result = statement.executeQuery("SELECT count(*) FROM t")) {
      result.next();
      return result.getLong(1);
    }
  }

  static void attempt(Work work) throws SQLException {
    try {
      work.run();
      seen.merge("ok", 1, Integer::sum);
    } catch (SQLiteException error) {
      String reason = REASONS.get(error.getResultCode().name());
      if (reason == null) throw error;
      seen.merge(reason, 1, Integer::sum);
    }
  }

  static void script(String path) throws SQLException {
    try (Connection one = open(path, 0); Connection other = open(path, 0)) {
      attempt(() -> run(one, "PRAGMA journal_mode = WAL"));
      attempt(() -> run(one, "CREATE TABLE t(id INTEGER PRIMARY KEY, x)"));
      for (int i = 0; i < 20; ++i) attempt(() -> run(one, INSERT));
      for (int i = 0; i < 5; ++i) {
        one.setAutoCommit(false);
        for (int j = 0; j < 3; ++j) run(one, INSERT);
        attempt(one::commit);
        one.setAutoCommit(true);
      }
      for (int i = 0; i < 3; ++i) attempt(() -> run(one, AGAIN));
      for (int i = 0; i < 2; ++i) {
        one.setAutoCommit(false);
        run(one, INSERT);
        one.rollback();
        one.setAutoCommit(true);
      }
      for (boolean commits : new boolean[] {true, false}) {
        one.setAutoCommit(false);
        run(one, INSERT);
        attempt(() -> {
          try {
            run(one, AGAIN);
          } catch (SQLException error) {
            if (!commits) throw error;
          }
          one.commit();
        });
        one.rollback();
        one.setAutoCommit(true);
      }
      run(one, "DELETE FROM t WHERE id = -1");

      run(other, "BEGIN IMMEDIATE");
      for (int i = 0; i < 4; ++i) attempt(() -> run(one, INSERT));
      attempt(() -> run(one, "BEGIN IMMEDIATE"));
      run(other, "ROLLBACK");
      one.setAutoCommit(false);
      rows(one);
      attempt(() -> run(other, INSERT));
      attempt(() -> run(one, INSERT));
      one.rollback();
    }
    StringBuilder json = new StringBuilder();
    seen.forEach((name, count) -> json.append(json.isEmpty() ? "{" : ", ").append("\"" + name + "\": " + count));
    System.out.println(json + "}");
  }

  static CountDownLatch write(String path, int count) {
    CountDownLatch done = new CountDownLatch(4);
    for (int i = 0; i < 4; ++i) {
      Thread thread = new Thread(() -> {
        try (Connection connection = open(path, 60000)) {
          for (int row = 1; row <= count; ++row) {
            run(connection, "INSERT INTO t VALUES(NULL, 'thread')");
            if (row == Math.min(count, 50)) done.countDown();
          }
        } catch (SQLException error) {
          error.printStackTrace();
          Runtime.getRuntime().halt(1);
        }
      });
      thread.start();
    }
    return done;
  }

  public static void main(String[] arguments) throws Exception {
    String path = arguments[0];
    String mode = arguments[1];
    if ("yes".equals(System.getenv("OBSERVED"))) observe();
    switch (mode) {
      case "script":
        script(path);
        break;
      case "rows":
        try (Connection connection = open(path, 60000)) {
          System.out.println(rows(connection));
        }
        break;
      case "threads":
        try (Connection held = open(path, 60000)) {
          rows(held);
          write(path, 25).await();
          System.out.println("{\"ok\": 100}");
          System.in.readAllBytes();
        }
        break;
      default:
        write(path, Integer.MAX_VALUE).await();
        if (mode.equals("exit")) System.exit(0);
        System.out.println("writing");
    }
  }
}
