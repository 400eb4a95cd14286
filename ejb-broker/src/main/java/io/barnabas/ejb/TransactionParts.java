package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.coordinator.CoordinatorRuntime;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.transaction.Enlistment;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.coordinator.transaction.TransactionCoordinatorSettings;
import io.barnabas.metadata.FeatureControl;
import io.barnabas.metadata.Membership;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.TopicImage;
import io.barnabas.partition.LocalMarkers;
import io.barnabas.partition.LocalPartitionWriter;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.peer.BrokerLinks;
import io.barnabas.peer.ClusterMarkers;
import io.barnabas.peer.ClusterMembers;
import io.barnabas.port.BrokerPort;
import io.barnabas.request.TransactionHandlers;
import org.apache.kafka.common.internals.Topic;
import org.jspecify.annotations.Nullable;

/** Puts the transaction coordinator together, for {@link BrokerNode}. */
final class TransactionParts {
    private TransactionParts() {}

    static TransactionHandlers.Parts of(
            BrokerPort port, LiveConfig config, Membership membership, Local local, BrokerLinks links) {
        BrokerConfig atStart = config.atStart();
        Metadata images = membership.metadata();
        TransactionCoordinatorSettings settings = TransactionCoordinatorSettings.of(atStart);
        LocalMarkers markers = new LocalMarkers(local.partitions(), local.groups(), port.clock());
        int timeoutMs = atStart.getInt("request.timeout.ms");
        TransactionCoordinator transactions = new TransactionCoordinator(
                settings,
                new CoordinatorRuntime.Environment(
                        port.clock(), port.ticker(), port.workers(), new LocalPartitionWriter(local.partitions())),
                new TransactionCoordinator.Cluster(
                        () -> partitionCount(images, settings),
                        membership.producerIds()::next,
                        () -> images.image().features().getOrDefault(FeatureControl.TRANSACTION_VERSION, (short) 0),
                        new ClusterMarkers(images, markers, links, timeoutMs)));
        ClusterMembers members = new ClusterMembers(images, transactions, links, timeoutMs);
        Enlistment enlistment =
                new Enlistment(members, port.clock(), port.ticker(), port.workers(), () -> config.current()
                        .getBoolean("transaction.partition.verification.enable"));
        return new TransactionHandlers.Parts(transactions, local.groups(), images, enlistment, markers);
    }

    /** What of it is on this broker. */
    record Local(LocalPartitions partitions, GroupCoordinator groups) {}

    private static int partitionCount(Metadata images, TransactionCoordinatorSettings settings) {
        @Nullable TopicImage topic = images.image().topic(Topic.TRANSACTION_STATE_TOPIC_NAME);
        return topic == null ? settings.partitions() : topic.partitions().size();
    }
}
