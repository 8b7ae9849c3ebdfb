import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse, stringify } from "yaml";
import type { IdentityPaths } from "./identities.ts";
import { ROOT } from "./places.ts";

/** The parts of mesh/observability/alertmanager/alertmanager.yaml that a laptop has of its own. */
interface Template {
  readonly route: Readonly<Record<string, unknown>>;
  readonly receivers: readonly [{ readonly webhook_configs: readonly [Readonly<Record<string, unknown>>] }];
}

/** On a laptop somebody waits for it. */
const WAITS = { group_wait: "1s", group_interval: "5s" };

/**
 * Writes Alertmanager's configuration: that of the repository, told to these addresses with this identity.
 *
 * @param webhooks - one for each replica of services/alerts: told twice is heard once, and one may be down
 */
export function alertmanagerConfig(
  webhooks: readonly string[],
  { caFile, certFile, keyFile }: Pick<IdentityPaths, "caFile" | "certFile" | "keyFile">,
): string {
  const file = join(ROOT, "mesh/observability/alertmanager/alertmanager.yaml");
  const template = parse(readFileSync(file, "utf8")) as Template;
  const [receiver] = template.receivers;
  const [webhook] = receiver.webhook_configs;
  const tls = { ca_file: caFile, cert_file: certFile, key_file: keyFile };
  const http = { ...(webhook.http_config as object), tls_config: tls };
  return stringify({
    ...template,
    route: { ...template.route, ...WAITS },
    receivers: [
      { ...receiver, webhook_configs: webhooks.map((url) => ({ ...webhook, url, http_config: http })) },
    ],
  });
}
