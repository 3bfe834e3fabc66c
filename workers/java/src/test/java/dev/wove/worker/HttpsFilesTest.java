package dev.wove.worker;

import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is said of files for TLS that are no use. */
class HttpsFilesTest {
  @Test
  void namesTheVariableOfAFile(@TempDir Path folder) throws IOException {
    Path text = Files.writeString(folder.resolve("text.pem"), "no certificate");
    for (Path path : new Path[] {folder.resolve("nowhere.pem"), folder, text}) {
      IOException error =
          assertThrows(
              IOException.class, () -> HttpsFiles.certificates("WOVE_HTTPS_CA", path.toString()));
      assertTrue(error.getMessage().startsWith("WOVE_HTTPS_CA: the file "), error.getMessage());
    }
  }
}
