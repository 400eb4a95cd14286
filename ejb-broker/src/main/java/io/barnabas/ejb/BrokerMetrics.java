package io.barnabas.ejb;

import io.barnabas.admin.GroupView;
import io.barnabas.admin.Overview;
import io.barnabas.admin.TopicView;
import io.barnabas.coordinator.transaction.TransactionCensus;
import io.barnabas.coordinator.transaction.TransactionFigures;
import io.barnabas.log.PartitionLog;
import io.barnabas.partition.TopicFigures;
import io.barnabas.request.RequestMetrics.ApiFigures;
import io.barnabas.time.Rounds;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.DoubleSupplier;
import org.apache.kafka.common.protocol.ApiKeys;
import org.apache.kafka.common.protocol.Errors;
import org.eclipse.microprofile.metrics.Counter;
import org.eclipse.microprofile.metrics.Metadata;
import org.eclipse.microprofile.metrics.MetricID;
import org.eclipse.microprofile.metrics.MetricRegistry;
import org.eclipse.microprofile.metrics.Tag;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The broker's figures as MicroProfile Metrics. The data path only adds to its own striped counters; {@link #sample}, run every
 * {@value #SAMPLE_MS} ms, carries their growth over, so that a scrape costs the data path nothing.
 *
 * <p>Names: {@code barnabas_…}, with the tags {@code api}, {@code error}, {@code quantile}, {@code topic}, {@code group}, {@code state},
 * {@code result} and {@code direction}. At most {@value #MAX_TOPICS} topics and {@value #MAX_GROUPS} groups have series of their own.
 *
 * <p>Samples on a worker of the port, one at a time; gauges are read by the scrape's thread.
 */
public final class BrokerMetrics {
    private static final int MAX_TOPICS = 1_000;
    private static final int MAX_GROUPS = 1_000;
    private static final double[] QUANTILES = {0.5, 0.95, 0.99, 0.999};

    private static final Logger LOG = LoggerFactory.getLogger(BrokerMetrics.class);
    private static final long SAMPLE_MS = 5_000;

    private final MetricRegistry registry;
    private final BrokerNode node;
    private final NodeViews views;
    private final Map<MetricID, Long> carried = new HashMap<>();
    private final Map<MetricID, Double> levels = new java.util.concurrent.ConcurrentHashMap<>();
    private Set<MetricID> present = new HashSet<>(); // series of topics and groups, of the last sample
    private final TransactionViews transactions;
    private final ReplicationMetrics replication;
    private volatile Overview overview;
    private volatile long openTimeMaxMs;
    private final Rounds samples;

    public BrokerMetrics(MetricRegistry registry, BrokerNode node, NodeViews views) {
        this.registry = registry;
        this.node = node;
        this.views = views;
        this.transactions = new TransactionViews(node);
        this.replication = new ReplicationMetrics(this, node);
        this.overview = views.overview();
        this.samples = new Rounds(node.port().ticker(), node.port().workers(), SAMPLE_MS, this::sampleIfPossible);
    }

    /** Registers what is always there and begins to sample. Called once. */
    public void start() {
        register();
        samples.start();
    }

    /** Ends sampling. Idempotent. */
    public void close() {
        samples.close();
    }

    private void sampleIfPossible() {
        try {
            sample();
        } catch (RuntimeException e) { // figures are not worth a broker
            LOG.warn("a sample of the metrics failed", e);
        }
    }

    private void register() {
        level("barnabas_connections", "Open client connections", () -> overview.openConnections());
        level("barnabas_topics", "Topics, internal ones too", () -> overview.topics());
        level("barnabas_partitions", "Partitions of all topics", () -> overview.partitions());
        level(
                "barnabas_offline_partitions",
                "Partitions without a leader or on a failed directory",
                () -> overview.offlinePartitions());
        replication.register();
        level("barnabas_log_size_bytes", "Bytes of all logs of this broker", () -> overview.sizeBytes());
        level("barnabas_groups", "Groups of this broker's coordinator shards", () -> overview.groups());
        level(
                "barnabas_transaction_markers_pending",
                "Partitions that wait for the marker of a transaction whose end was decided",
                () -> node.transactions().figures().markersPending());
        level(
                "barnabas_transaction_open_time_max_seconds",
                "Age of the oldest transaction that has not ended",
                () -> openTimeMaxMs / 1e3);
        level(
                "barnabas_offline_log_directories",
                "Data directories that have failed",
                () -> overview.directories().stream()
                        .filter(directory -> !directory.online())
                        .count());
        level(
                "barnabas_uncleanable_partitions",
                "Partitions that the log cleaner has set aside until the next start, their logs being damaged",
                () -> node.logs().uncleanable().size());
        level(
                "barnabas_uncleanable_bytes",
                "Bytes of the logs that the log cleaner has set aside",
                () -> node.logs().uncleanable().keySet().stream()
                        .flatMap(partition -> node.logs().log(partition).stream())
                        .mapToLong(PartitionLog::sizeInBytes)
                        .sum());
    }

    void level(String name, String help, DoubleSupplier value) {
        registry.gauge(metadata(name, help), value::getAsDouble);
    }

    private static Metadata metadata(String name, String help) {
        return Metadata.builder().withName(name).withDescription(help).build();
    }

    /** Carries over what has grown since the last call, and the present levels. */
    void sample() {
        overview = views.overview();
        for (ApiKeys api : ApiKeys.values()) {
            ApiFigures figures = node.metrics().of(api);
            if (figures.requests() > 0) {
                sample(api, figures);
            }
        }
        Set<MetricID> seen = new HashSet<>();
        sampleTopics(seen);
        sampleGroups(seen);
        sampleTransactions();
        replication.sample();
        present.stream().filter(id -> !seen.contains(id)).forEach(this::forget);
        present = seen;
    }

    private void sample(ApiKeys api, ApiFigures figures) {
        Tag tag = new Tag("api", api.name);
        carry("barnabas_requests", "Requests by API", figures.requests(), tag);
        carry("barnabas_request_bytes", "Bytes of request frames by API", figures.requestBytes(), tag);
        carry(
                "barnabas_request_latency_nanoseconds",
                "Time from a request's last byte to its answer, added up, by API",
                figures.latency().totalNanos(),
                tag);
        for (double quantile : QUANTILES) {
            level(
                    new ArrayList<>(),
                    "barnabas_request_latency_seconds",
                    "Time from a request's last byte to its answer, by API and quantile",
                    figures.latency().quantileNanos(quantile) / 1e9,
                    tag,
                    new Tag("quantile", Double.toString(quantile)));
        }
        for (Map.Entry<Errors, Long> error : figures.errors().entrySet()) {
            carry(
                    "barnabas_request_errors",
                    "Error codes answered, by API and code",
                    error.getValue(),
                    tag,
                    new Tag("error", error.getKey().name()));
        }
    }

    private void sampleTopics(Set<MetricID> seen) {
        Map<String, TopicFigures> figures = node.partitions().figures();
        for (TopicView topic : views.topics().stream().limit(MAX_TOPICS).toList()) {
            Tag tag = new Tag("topic", topic.name());
            List<MetricID> series = new ArrayList<>();
            level(series, "barnabas_topic_size_bytes", "Bytes of a topic's logs", (double) topic.sizeBytes(), tag);
            TopicFigures of = figures.get(topic.name());
            if (of != null) {
                series.add(carry("barnabas_topic_bytes_in", "Bytes appended to a topic", of.bytesIn(), tag));
                series.add(carry("barnabas_topic_records_in", "Records appended to a topic", of.recordsIn(), tag));
                series.add(carry("barnabas_topic_bytes_out", "Bytes of a topic handed to fetches", of.bytesOut(), tag));
                series.add(carry(
                        "barnabas_topic_failed_produces", "Batches for a topic refused", of.failedProduces(), tag));
            }
            seen.addAll(series);
        }
    }

    private void sampleGroups(Set<MetricID> seen) {
        for (GroupView group : views.groups().stream().limit(MAX_GROUPS).toList()) {
            Tag tag = new Tag("group", group.id());
            List<MetricID> series = new ArrayList<>();
            level(series, "barnabas_group_lag_records", "Records a group has not committed", (double) group.lag(), tag);
            level(series, "barnabas_group_members", "Members of a group", group.members(), tag);
            seen.addAll(series);
        }
    }

    private void sampleTransactions() {
        TransactionFigures figures = node.transactions().figures();
        carry(
                "barnabas_transactions_ended",
                "Transactions that have ended",
                figures.committed(),
                new Tag("result", "commit"));
        carry(
                "barnabas_transactions_ended",
                "Transactions that have ended",
                figures.aborted(),
                new Tag("result", "abort"));
        carry(
                "barnabas_transactions_timed_out",
                "Transactions aborted because they took longer than their time-out",
                figures.timedOut());
        carry(
                "barnabas_transaction_markers_repeated",
                "Markers written again because their partition could not take them",
                figures.markersRepeated());
        carry(
                "barnabas_transaction_end_latency_nanoseconds",
                "Time from the decision on a transaction to its last marker, added up",
                figures.ends().totalNanos());
        for (double quantile : QUANTILES) {
            level(
                    new ArrayList<>(),
                    "barnabas_transaction_end_latency_seconds",
                    "Time from the decision on a transaction to its last marker, by quantile",
                    figures.ends().quantileNanos(quantile) / 1e9,
                    new Tag("quantile", Double.toString(quantile)));
        }
        transactions.census().ifPresent(this::sample);
    }

    private void sample(TransactionCensus census) {
        census.byState()
                .forEach((state, count) -> level(
                        new ArrayList<>(),
                        "barnabas_transactions",
                        "Transactional ids of this broker's coordinator shards, by state; Prepared ones wait for a decision",
                        count,
                        new Tag("state", state)));
        long now = node.port().clock().wallMillis();
        openTimeMaxMs = census.oldestStartMs() == Long.MAX_VALUE ? 0 : Math.max(0, now - census.oldestStartMs());
    }

    /** Raises a counter to {@code total}; a total below the last one is a new beginning (a topic made again). */
    MetricID carry(String name, String help, long total, Tag... tags) {
        MetricID id = new MetricID(name, tags);
        Counter counter = registry.counter(metadata(name, help), tags);
        long before = carried.getOrDefault(id, 0L);
        counter.inc(total >= before ? total - before : total);
        carried.put(id, total);
        return id;
    }

    private void level(List<MetricID> series, String name, String help, double value, Tag... tags) {
        MetricID id = new MetricID(name, tags);
        if (levels.put(id, value) == null) {
            registry.gauge(metadata(name, help), () -> levels.getOrDefault(id, 0.0), tags);
        }
        series.add(id);
    }

    private void forget(MetricID id) {
        registry.remove(id);
        carried.remove(id);
        levels.remove(id);
    }
}
