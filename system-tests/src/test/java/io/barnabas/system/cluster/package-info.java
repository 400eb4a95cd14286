/**
 * Three real processes of a broker, what befalls them, and what became of the records that they acknowledged. {@link
 * io.barnabas.system.cluster.FaultTable} runs the same faults on Barnabas and on Apache Kafka and prints a table; the tests here hold
 * Barnabas to its bounds.
 */
package io.barnabas.system.cluster;
