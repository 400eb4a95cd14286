package io.barnabas.ejb;

import io.barnabas.admin.BrokerViews;
import io.barnabas.admin.GroupDetail;
import io.barnabas.admin.GroupView;
import io.barnabas.admin.Overview;
import io.barnabas.admin.TopicDetail;
import io.barnabas.admin.TopicDetail.PartitionView;
import io.barnabas.admin.TopicView;
import io.barnabas.admin.TransactionView;
import io.barnabas.log.DataDirectory;
import io.barnabas.log.PartitionLog;
import io.barnabas.metadata.MetadataImage;
import io.barnabas.metadata.PartitionImage;
import io.barnabas.metadata.TopicImage;
import io.barnabas.partition.LocalPartition;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.internals.Topic;
import org.jspecify.annotations.Nullable;

/** The console's views, read from a running broker. Safe from any thread; never touches a file. */
public final class NodeViews implements BrokerViews {
    private final BrokerNode node;
    private final String version;
    private final long servingSince;
    private final TopicRates rates;
    private final GroupViews groups;
    private final TransactionViews transactions;

    /**
     * Views of {@code node}.
     *
     * @param version of Barnabas, as the overview shows it
     */
    public NodeViews(BrokerNode node, String version) {
        this.node = node;
        this.version = version;
        this.servingSince = node.port().clock().monotonicMillis();
        this.rates = new TopicRates(
                () -> node.partitions().figures(),
                node.port().clock(),
                node.port().ticker(),
                node.port().workers());
        this.groups = new GroupViews(node);
        this.transactions = new TransactionViews(node);
    }

    /** Begins to measure rates. Called once. */
    public void start() {
        rates.start();
    }

    /** Ends measuring. Idempotent. */
    public void close() {
        rates.close();
    }

    @Override
    public Overview overview() {
        MetadataImage image = node.metadata().metadata().image();
        TopicRates.Rate all = rates.total();
        int partitions = 0;
        int offline = 0;
        for (TopicImage topic : image.topics()) {
            partitions += topic.partitions().size();
            offline += (int) topic.partitions().stream()
                    .filter(p -> !online(topic.name(), p))
                    .count();
        }
        return new Overview(
                "serving",
                node.config().atStart().nodeId(),
                image.clusterId(),
                version,
                node.port().clock().monotonicMillis() - servingSince,
                listeners(),
                node.port().openConnections(),
                image.topics().size(),
                partitions,
                offline,
                groups.all().size(),
                node.logs().logs().stream().mapToLong(PartitionLog::sizeInBytes).sum(),
                all.recordsIn(),
                all.bytesIn(),
                all.bytesOut(),
                directories());
    }

    private boolean online(String topic, PartitionImage partition) {
        @Nullable LocalPartition here = node.partitions().partition(topic, partition.partition());
        return partition.leader() >= 0 && (here == null || here.online());
    }

    private List<String> listeners() {
        return node.config().atStart().listeners().advertised().stream()
                .map(listener -> {
                    int bound = node.port().boundPort(listener.name());
                    return listener.host() + ":" + (bound > 0 ? bound : listener.port());
                })
                .toList();
    }

    private List<Overview.DirectoryView> directories() {
        List<Overview.DirectoryView> views = new ArrayList<>();
        for (DataDirectory directory : node.logs().directories()) {
            long logs = node.logs().logs().stream()
                    .filter(log -> log.directory().equals(directory))
                    .count();
            views.add(new Overview.DirectoryView(
                    directory.path().toString(),
                    directory.online(),
                    directory.totalBytes(),
                    directory.usableBytes(),
                    (int) logs));
        }
        return views;
    }

    @Override
    public List<TopicView> topics() {
        return node.metadata().metadata().image().topics().stream()
                .map(this::view)
                .sorted(Comparator.comparing(TopicView::name))
                .toList();
    }

    private TopicView view(TopicImage topic) {
        long records = 0;
        long size = 0;
        int underReplicated = 0;
        for (PartitionImage partition : topic.partitions()) {
            @Nullable LocalPartition here = node.partitions().partition(topic.name(), partition.partition());
            if (here != null && here.online()) {
                records += Math.max(0, here.highWatermark() - here.log().logStartOffset());
                size += here.log().sizeInBytes();
            }
            if (partition.isr().size() < partition.replicas().size()) {
                underReplicated++;
            }
        }
        TopicRates.Rate rate = rates.of(topic.name());
        return new TopicView(
                topic.name(),
                topic.id().toString(),
                Topic.isInternal(topic.name()),
                topic.partitions().size(),
                topic.partitions().isEmpty()
                        ? 0
                        : topic.partitions().get(0).replicas().size(),
                underReplicated,
                records,
                size,
                rate.recordsIn(),
                rate.bytesIn());
    }

    @Override
    public Optional<TopicDetail> topic(String name) {
        MetadataImage image = node.metadata().metadata().image();
        @Nullable TopicImage topic = image.topic(name);
        if (topic == null) {
            return Optional.empty();
        }
        List<PartitionView> partitions = topic.partitions().stream()
                .map(partition -> view(partition, node.partitions().partition(topic.name(), partition.partition())))
                .toList();
        Map<String, String> settings =
                new TreeMap<>(image.config(new ConfigResource(ConfigResource.Type.TOPIC, topic.name())));
        return Optional.of(new TopicDetail(view(topic), partitions, settings));
    }

    private static PartitionView view(PartitionImage partition, @Nullable LocalPartition here) {
        @Nullable PartitionLog log = here != null && here.online() ? here.log() : null;
        return new PartitionView(
                partition.partition(),
                partition.leader(),
                partition.leaderEpoch(),
                partition.replicas(),
                partition.isr(),
                log == null ? -1 : log.logStartOffset(),
                log == null || here == null ? -1 : here.highWatermark(),
                log == null || here == null ? -1 : here.lastStableOffset(),
                log == null ? -1 : log.sizeInBytes(),
                log == null ? "" : log.directory().path().toString());
    }

    @Override
    public List<GroupView> groups() {
        return groups.all();
    }

    @Override
    public Optional<GroupDetail> group(String id) {
        return groups.detail(id);
    }

    @Override
    public List<TransactionView> transactions() {
        return transactions.all();
    }
}
