"""Text formats: prose, data, markup and source code in many languages."""

import textwrap

PROSE = (
    "A release is a promise. It says which bytes will answer, how quickly, and what happens when they do not. "
    "The careful way is to send one request in twenty to the new bytes, compare, and only then send more.\n"
)


def source(block: str) -> bytes:
    return textwrap.dedent(block).lstrip("\n").encode()


TEXT = {
    "prose": (PROSE.encode(), "txt"),
    "unicode prose": (
        "新しいリリースは約束です。どのバイトが答えるのか、どれだけ速いのか。"
        "Η προσεκτική μέθοδος: ένα αίτημα στα είκοσι. Осторожно: сначала пять процентов. 🚦\n".encode(),
        "txt",
    ),
    "markdown": (
        source("""
            # Release notes

            The **canary** takes traffic in *steps*:

            1. five percent,
            2. twenty-five percent,
            3. all of it.

            ```sh
            sluice deploy
            ```

            See [the architecture](ARCHITECTURE.md) for more.
        """),
        "markdown",
    ),
    "json": (
        source("""
            {
              "name": "magika",
              "weights": [5, 25, 50, 100],
              "canary": {
                "ready": true,
                "digest": null
              }
            }
        """),
        "json",
    ),
    "csv": (b"id,name,weight\n1,stable,95\n2,canary,5\n3,baseline,5\n4,retired,0\n", "csv"),
    "yaml": (
        source("""
            apiVersion: v1
            kind: Service
            metadata:
              name: magika
              labels:
                app: magika
            spec:
              ports:
                - port: 8080
                  targetPort: 8080
        """),
        "yaml",
    ),
    "toml": (
        source("""
            [package]
            name = "sluice"
            version = "0.1.0"

            [dependencies]
            zod = "4.6.7"
        """),
        "toml",
    ),
    "xml": (
        source("""
            <?xml version="1.0" encoding="UTF-8"?>
            <release>
              <name>magika</name>
              <weight unit="percent">5</weight>
            </release>
        """),
        "xml",
    ),
    "html": (
        source("""
            <!doctype html>
            <html lang="en">
              <head><meta charset="utf-8"><title>Rollout</title></head>
              <body><h1>Rollout</h1><p>The canary is <em>ready</em>.</p></body>
            </html>
        """),
        "html",
    ),
    "svg": (
        b'<svg xmlns="http://www.w3.org/2000/svg" width="20" height="20"><path d="M0 0h20v20H0z" fill="#06c"/></svg>\n',
        "svg",
    ),
    "css": (source("body { margin: 0; font: 16px/1.5 sans-serif; }\n.canary > a:hover { color: #fc0; }\n"), "css"),
    "typescript": (
        source("""
            export interface Release {
              name: string;
              weight: number;
            }

            export function promote(release: Release, steps: readonly number[]): Release | undefined {
              const weight = steps.find((step) => step > release.weight);
              return weight === undefined ? undefined : { ...release, weight };
            }
        """),
        "typescript",
    ),
    "javascript": (
        source("""
            const http = require("http");

            const server = http.createServer(function (request, response) {
              response.writeHead(200, { "content-type": "text/plain" });
              response.end("hello " + request.url);
            });

            server.listen(8080, () => console.log("listening"));
        """),
        "javascript",
    ),
    "python": (
        source("""
            import json
            import sys


            def main(path: str) -> None:
                with open(path) as file:
                    print(len(json.load(file)["cases"]))


            if __name__ == "__main__":
                main(sys.argv[1])
        """),
        "python",
    ),
    "go": (
        source("""
            package main

            import "fmt"

            func main() {
            	for i := 0; i < 3; i++ {
            		fmt.Println("step", i)
            	}
            }
        """),
        "go",
    ),
    "rust": (
        source("""
            use std::collections::HashMap;

            fn main() {
                let mut weights: HashMap<String, u8> = HashMap::new();
                weights.insert("canary".to_string(), 5);
                for (name, weight) in &weights {
                    println!("{name}: {weight}");
                }
            }
        """),
        "rust",
    ),
    "c": (
        source("""
            #include <stdio.h>

            int main(int argc, char **argv) {
                for (int i = 1; i < argc; i++) {
                    printf("%d: %s\\n", i, argv[i]);
                }
                return 0;
            }
        """),
        "c",
    ),
    "java": (
        source("""
            import java.util.List;

            public class Rollout {
                public static void main(String[] args) {
                    for (int weight : List.of(5, 25, 100)) {
                        System.out.println("weight " + weight);
                    }
                }

                private static String name(int step) throws IllegalStateException {
                    return "step-" + step;
                }
            }
        """),
        "java",
    ),
    "shell": (
        source("""
            #!/bin/sh
            set -eu
            for file in "$@"; do
              if [ -f "$file" ]; then
                echo "$(wc -c < "$file") $file"
              fi
            done
        """),
        "shell",
    ),
    "sql": (
        source("""
            CREATE TABLE release (id INTEGER PRIMARY KEY, name TEXT NOT NULL, weight INTEGER DEFAULT 0);
            INSERT INTO release (name, weight) VALUES ('stable', 95), ('canary', 5);
            SELECT name, weight FROM release WHERE weight > 0 ORDER BY weight DESC;
        """),
        "sql",
    ),
    "dockerfile": (
        source("""
            FROM debian:bookworm-slim
            RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates
            COPY . /app
            WORKDIR /app
            USER 65532
            CMD ["./serve"]
        """),
        "dockerfile",
    ),
}
