/** Migrations, which run on their own before the code that needs them, as the role that owns the schema. */
import { WORKLOADS, type Workload, type WorkloadDatabase } from "@orrery/mesh/topology";
import { type Edge, migrationsOf } from "../call-graph.ts";
import { migrateArguments, PLACES, variablesOf } from "../configuration.ts";
import { about, type Manifest } from "../manifest.ts";
import { imageOf, labelsOf } from "../names.ts";
import { networkPolicy } from "./network.ts";
import {
  CONTAINER_SECURITY,
  leafSecret,
  MESHED,
  podAccount,
  podSecurity,
  resources,
  scratch,
  secretVolume,
  serviceAccount,
} from "./pod.ts";
import { CLUSTER } from "./workload.ts";

const MEMORY_MIB = 256;

/** A Job for each database, with an identity of its own. A Job that stands is not changed: delete it, then apply. */
export const migrations = (edges: readonly Edge[]): readonly Manifest[] =>
  WORKLOADS.flatMap((workload) => {
    const { database, name } = workload;
    if (database === null) return [];
    const network = networkPolicy(migrationsOf(name), edges);
    return [
      serviceAccount(migrationsOf(name)),
      ...(network === undefined ? [] : [network]),
      migration(workload, database),
    ];
  });

function migration(workload: Workload, database: WorkloadDatabase): Manifest {
  const name = migrationsOf(workload.name);
  const variables = {
    ...variablesOf(workload, CLUSTER),
    ORRERY_INSTANCE: name,
    ORRERY_DATABASE_ROLE: database.ownerRole,
    // It makes no spans, and the platform that would take them may not be there yet.
    ORRERY_OTLP_URL: "off",
  };
  return {
    apiVersion: "batch/v1",
    kind: "Job",
    metadata: about(name),
    spec: {
      // The database may still be on its way.
      backoffLimit: 10,
      activeDeadlineSeconds: 900,
      ttlSecondsAfterFinished: 86_400,
      template: {
        metadata: { labels: labelsOf(name), annotations: MESHED },
        spec: {
          restartPolicy: "Never",
          ...podAccount(name),
          securityContext: podSecurity(),
          containers: [
            {
              name: "migrate",
              image: imageOf(workload.name),
              imagePullPolicy: "IfNotPresent",
              args: migrateArguments(workload),
              env: Object.entries(variables).map(([variable, value]) => ({ name: variable, value })),
              resources: resources(MEMORY_MIB, "100m"),
              securityContext: CONTAINER_SECURITY,
              volumeMounts: [
                { name: "tmp", mountPath: "/tmp" },
                { name: "identity", mountPath: PLACES.identity, readOnly: true },
              ],
            },
          ],
          volumes: [
            scratch("tmp"),
            secretVolume("identity", leafSecret(database.ownerRole.replaceAll("_", "-"))),
          ],
        },
      },
    },
  };
}
