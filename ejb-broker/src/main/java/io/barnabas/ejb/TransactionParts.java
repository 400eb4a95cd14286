package io.barnabas.ejb;

import io.barnabas.config.BrokerConfig;
import io.barnabas.config.LiveConfig;
import io.barnabas.coordinator.CoordinatorRuntime;
import io.barnabas.coordinator.TransactionMarker;
import io.barnabas.coordinator.group.GroupCoordinator;
import io.barnabas.coordinator.transaction.Enlistment;
import io.barnabas.coordinator.transaction.MarkerWriter;
import io.barnabas.coordinator.transaction.TransactionCoordinator;
import io.barnabas.coordinator.transaction.TransactionCoordinatorSettings;
import io.barnabas.metadata.FeatureControl;
import io.barnabas.metadata.Membership;
import io.barnabas.metadata.Metadata;
import io.barnabas.metadata.TopicImage;
import io.barnabas.partition.LocalMarkers;
import io.barnabas.partition.LocalPartitionWriter;
import io.barnabas.partition.LocalPartitions;
import io.barnabas.port.BrokerPort;
import io.barnabas.request.TransactionHandlers;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.internals.Topic;
import org.jspecify.annotations.Nullable;

/** Puts the transaction coordinator together, for {@link BrokerNode}. */
final class TransactionParts {
    private TransactionParts() {}

    static TransactionHandlers.Parts of(
            BrokerPort port,
            LiveConfig config,
            Membership membership,
            LocalPartitions partitions,
            GroupCoordinator groups) {
        BrokerConfig atStart = config.atStart();
        Metadata images = membership.metadata();
        TransactionCoordinatorSettings settings = TransactionCoordinatorSettings.of(atStart);
        LocalMarkers markers = new LocalMarkers(partitions, groups, port.clock());
        TransactionCoordinator transactions = new TransactionCoordinator(
                settings,
                new CoordinatorRuntime.Environment(
                        port.clock(), port.ticker(), port.workers(), new LocalPartitionWriter(partitions)),
                new TransactionCoordinator.Cluster(
                        () -> partitionCount(images, settings),
                        membership.producerIds()::next,
                        () -> images.image().features().getOrDefault(FeatureControl.TRANSACTION_VERSION, (short) 0),
                        new ToThoseThatAre(images, markers)));
        Enlistment enlistment =
                new Enlistment(transactions, port.clock(), port.ticker(), port.workers(), () -> config.current()
                        .getBoolean("transaction.partition.verification.enable"));
        return new TransactionHandlers.Parts(transactions, groups, images, enlistment, markers);
    }

    private static int partitionCount(Metadata images, TransactionCoordinatorSettings settings) {
        @Nullable TopicImage topic = images.image().topic(Topic.TRANSACTION_STATE_TOPIC_NAME);
        return topic == null ? settings.partitions() : topic.partitions().size();
    }

    /** A partition that was deleted in the middle of a transaction needs no marker. */
    private record ToThoseThatAre(Metadata images, MarkerWriter markers) implements MarkerWriter {
        @Override
        public CompletionStage<Void> write(TopicPartition partition, TransactionMarker marker) {
            return images.image().partition(partition.topic(), partition.partition()) == null
                    ? CompletableFuture.allOf()
                    : markers.write(partition, marker);
        }
    }
}
