/**
 * What clients did and saw, and whether a log that keeps its promises can have shown it. Pure: {@link History} in, {@link Anomaly}s out,
 * in the manner of Jepsen's workload for Kafka.
 */
package io.barnabas.system.checker;
