package io.barnabas.metadata;

import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.metadata.BrokerRegistrationChangeRecord;
import org.apache.kafka.common.metadata.FenceBrokerRecord;
import org.apache.kafka.common.metadata.MetadataRecordType;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.metadata.UnfenceBrokerRecord;
import org.apache.kafka.common.metadata.UnregisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.jspecify.annotations.Nullable;

/**
 * The part of {@link MetadataDelta} for broker registrations. A registration's epoch is the index of its entry, which its decider could
 * not know: a record with epoch -1 takes it from there. All other records name the epoch they were decided for, and one that meets
 * another is a fault.
 */
final class BrokerDelta {
    private final long index;
    private final Set<Integer> changed = new HashSet<>();
    private Map<Integer, BrokerImage> brokers;

    BrokerDelta(Map<Integer, BrokerImage> before, long index) {
        this.brokers = before;
        this.index = index;
    }

    Map<Integer, BrokerImage> brokers() {
        return brokers;
    }

    Set<Integer> changed() {
        return Set.copyOf(changed);
    }

    void replay(ApiMessage record) {
        switch (MetadataRecordType.fromId(record.apiKey())) {
            case REGISTER_BROKER_RECORD -> put(image((RegisterBrokerRecord) record, index));
            case UNREGISTER_BROKER_RECORD -> replay((UnregisterBrokerRecord) record);
            case FENCE_BROKER_RECORD -> replay((FenceBrokerRecord) record);
            case UNFENCE_BROKER_RECORD -> replay((UnfenceBrokerRecord) record);
            case BROKER_REGISTRATION_CHANGE_RECORD -> replay((BrokerRegistrationChangeRecord) record);
            default -> throw new IllegalArgumentException("Not a broker's record: " + record.apiKey());
        }
    }

    private static BrokerImage image(RegisterBrokerRecord record, long index) {
        Map<String, BrokerImage.FeatureRange> features = new TreeMap<>();
        record.features()
                .forEach(f -> features.put(
                        f.name(), new BrokerImage.FeatureRange(f.minSupportedVersion(), f.maxSupportedVersion())));
        return new BrokerImage(
                record.brokerId(),
                record.brokerEpoch() < 0 ? index : record.brokerEpoch(),
                record.incarnationId(),
                record.endPoints().stream()
                        .map(e -> new BrokerImage.Endpoint(e.name(), e.host(), e.port(), e.securityProtocol()))
                        .toList(),
                record.rack(),
                record.fenced(),
                record.inControlledShutdown(),
                List.copyOf(record.logDirs()),
                cordoned(record.cordonedLogDirs(), List.of()),
                Collections.unmodifiableMap(features));
    }

    private void replay(UnregisterBrokerRecord record) {
        registered(record.brokerId(), record.brokerEpoch(), record);
        Map<Integer, BrokerImage> copy = new TreeMap<>(brokers);
        copy.remove(record.brokerId());
        brokers = Collections.unmodifiableMap(copy);
        changed.add(record.brokerId());
    }

    private void replay(FenceBrokerRecord record) {
        BrokerImage broker = registered(record.id(), record.epoch(), record);
        put(with(broker, true, broker.inControlledShutdown(), broker.logDirs(), broker.cordonedDirs()));
    }

    private void replay(UnfenceBrokerRecord record) {
        BrokerImage broker = registered(record.id(), record.epoch(), record);
        put(with(broker, false, broker.inControlledShutdown(), broker.logDirs(), broker.cordonedDirs()));
    }

    private void replay(BrokerRegistrationChangeRecord record) {
        BrokerImage broker = registered(record.brokerId(), record.brokerEpoch(), record);
        boolean fenced = record.fenced() == 0 ? broker.fenced() : record.fenced() > 0;
        boolean leaving = record.inControlledShutdown() > 0 || broker.inControlledShutdown();
        List<Uuid> logDirs = record.logDirs().isEmpty() ? broker.logDirs() : List.copyOf(record.logDirs());
        put(with(broker, fenced, leaving, logDirs, cordoned(record.cordonedLogDirs(), broker.cordonedDirs())));
    }

    private BrokerImage registered(int id, long epoch, ApiMessage record) {
        BrokerImage broker = MetadataDelta.existing(brokers.get(id), "no such broker", record);
        MetadataDelta.check(broker.epoch() == epoch, "another broker epoch", record);
        return broker;
    }

    private void put(BrokerImage broker) {
        Map<Integer, BrokerImage> copy = new TreeMap<>(brokers);
        copy.put(broker.id(), broker);
        brokers = Collections.unmodifiableMap(copy);
        changed.add(broker.id());
    }

    private static List<Uuid> cordoned(@Nullable List<Uuid> said, List<Uuid> before) {
        return said == null ? before : List.copyOf(said);
    }

    private static BrokerImage with(
            BrokerImage b, boolean fenced, boolean leaving, List<Uuid> logDirs, List<Uuid> cordoned) {
        return new BrokerImage(
                b.id(),
                b.epoch(),
                b.incarnationId(),
                b.endpoints(),
                b.rack(),
                fenced,
                leaving,
                logDirs,
                cordoned,
                b.features());
    }
}
