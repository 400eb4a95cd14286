/** Programs that measure a running broker, Barnabas or Apache Kafka: docs/performance.md says how to run them. */
package io.barnabas.system.bench;
