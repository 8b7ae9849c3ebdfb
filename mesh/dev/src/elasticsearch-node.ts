import { chmodSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Account, giveTo } from "./account.ts";
import type { ElasticsearchFolder } from "./binaries/elasticsearch-folder.ts";
import { makePassage } from "./places.ts";

/** One Elasticsearch: its folders and ports. */
export interface ElasticsearchNode {
  readonly folder: ElasticsearchFolder;
  readonly account: Account | undefined;
  /** Holds data, logs, configuration and temporary files. */
  readonly home: string;
  readonly httpPort: number;
  readonly transportPort: number;
  readonly heapMiB: number;
}

/**
 * Writes the configuration folder anew (a keystore is made in it, so it has to be writable) and gives all to
 * the account.
 */
export function prepareElasticsearch(node: ElasticsearchNode): void {
  const conf = join(node.home, "conf");
  rmSync(conf, { recursive: true, force: true });
  if (!existsSync(dirname(node.home))) makePassage(dirname(node.home));
  for (const name of ["conf", "data", "logs", "tmp"]) mkdirSync(join(node.home, name), { recursive: true });
  cpSync(join(node.folder.path, "config/log4j2.properties"), join(conf, "log4j2.properties"));
  writeFileSync(join(conf, "elasticsearch.yml"), settings(node));
  writeFileSync(join(conf, "jvm.options"), jvmOptions(node));
  chmodSync(node.home, 0o700);
  giveTo(node.account, node.home);
}

/** What starts the server in the foreground; its working folder has to be the unpacked one. */
export function elasticsearchArgs({ folder, home }: ElasticsearchNode): readonly string[] {
  return [
    ...["-Xms4m", "-Xmx64m", "-XX:+UseSerialGC"],
    ...["-Dcli.name=server", "-Dcli.script=./bin/elasticsearch", "-Dcli.libs=lib/tools/server-cli"],
    `-Des.path.home=${folder.path}`,
    `-Des.path.conf=${join(home, "conf")}`,
    "-Des.distribution.type=zip",
    ...["-cp", "lib/*:lib/cli-launcher/*", "org.elasticsearch.launcher.CliToolLauncher"],
  ];
}

/** Java's own variables would change the heap and the folders behind our back, so none is passed on. */
export const elasticsearchEnvironment = ({ home, folder }: ElasticsearchNode): NodeJS.ProcessEnv => ({
  PATH: process.env.PATH ?? "",
  HOME: home,
  ES_TMPDIR: join(home, "tmp"),
  ES_JAVA_HOME: folder.java.replace(/\/bin\/java$/, ""),
});

/** Answers once the node takes requests. `GET /` is absent from this distribution, so health is asked. */
export async function elasticsearchAnswers(url: string): Promise<void> {
  const response = await fetch(`${url}/_cluster/health?timeout=1s`, { signal: AbortSignal.timeout(2_000) });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`Elasticsearch answers ${response.status}`);
}

function settings({ home, httpPort, transportPort }: ElasticsearchNode): string {
  const lines: Record<string, string | number | boolean> = {
    "cluster.name": "orrery",
    "path.data": join(home, "data"),
    "path.logs": join(home, "logs"),
    "network.host": "127.0.0.1",
    "http.port": httpPort,
    "transport.port": transportPort,
    "discovery.type": "single-node",
    "xpack.security.enabled": false,
    "xpack.security.autoconfiguration.enabled": false,
    "node.store.allow_mmap": false,
    "cluster.routing.allocation.disk.threshold_enabled": false,
    "action.auto_create_index": false, // an index is made by its owner, never by a stray write
  };
  return Object.entries(lines)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join("");
}

function jvmOptions({ heapMiB, home }: ElasticsearchNode): string {
  return [
    ...[`-Xms${heapMiB}m`, `-Xmx${heapMiB}m`, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"],
    `-Djava.io.tmpdir=${join(home, "tmp")}`,
    "",
  ].join("\n");
}
