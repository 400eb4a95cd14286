/**
 * Cluster metadata: an immutable image, a controller, the journal between them.
 *
 * <p>A change's way: {@link io.barnabas.metadata.ControllerService} takes what brokers ask for, handlers what clients ask for, as a command to
 * {@link io.barnabas.metadata.Controller}; rules, classes named {@code …Control} and {@link io.barnabas.metadata.PartitionRules}, decide by
 * the present {@link io.barnabas.metadata.MetadataImage} which records it takes; {@link io.barnabas.metadata.MetadataLog} orders them and
 * makes them durable; on every node {@link io.barnabas.metadata.ReplayedMetadata} makes the next image of them, by
 * {@link io.barnabas.metadata.MetadataDelta}, and tells the listeners. Those that open logs are told after that, by
 * {@link io.barnabas.metadata.TrailingMetadata}.
 *
 * <p>The journal is {@link io.barnabas.metadata.RatisMetadataLog}; only classes about it know Ratis. Before its first start voters find each
 * other ({@link io.barnabas.metadata.VoterAgreement}), and a node that has no vote asks to be sent it ({@link io.barnabas.metadata.Observing}).
 * {@link io.barnabas.metadata.MetadataNode} opens and closes all of this in {@link io.barnabas.metadata.MetadataDirectory}.
 *
 * <p>Who is there: {@link io.barnabas.metadata.BrokerRegistration} sends a broker's heartbeats, {@link io.barnabas.metadata.BrokerSessions}
 * and {@link io.barnabas.metadata.ControllerDuties} judge them.
 */
@NullMarked
package io.barnabas.metadata;

import org.jspecify.annotations.NullMarked;
