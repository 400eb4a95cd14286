package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.BrokerHeartbeatRequestData;
import org.apache.kafka.common.message.BrokerHeartbeatResponseData;
import org.apache.kafka.common.metadata.BrokerRegistrationChangeRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * The rule of a broker's heartbeat: comes into service when it has applied its own registration, goes out of it when it asks, and when
 * it wants to stop gives up its leaderships first. Partitions in directories that it lost are given up as well (KIP-858). Pure, but
 * for what the sessions know.
 *
 * <p>Who was fenced while it could not be reached comes back when it has heard of it, and not with a former picture of who leads.
 *
 * <p>Who is in controlled shutdown stays out, whatever comes of it, until it registers anew: the image says so, to every controller.
 *
 * <p>Of a broker that is alone in its cluster nothing is taken: there is nobody to give it to. Nor does the last one in service go out of
 * it because it cannot write: what it has can still be read.
 */
final class HeartbeatControl {
    private static final byte YES = 1;
    private static final byte NO = -1;

    private final PartitionRules rules;
    private final BrokerSessions sessions;

    HeartbeatControl(PartitionRules rules, BrokerSessions sessions) {
        this.rules = rules;
        this.sessions = sessions;
    }

    /** What is to become of the broker; no records if nothing. */
    Decision<BrokerHeartbeatResponseData> decide(MetadataImage image, BrokerHeartbeatRequestData request) {
        @Nullable BrokerImage broker = image.broker(request.brokerId()).orElse(null);
        if (broker == null || broker.epoch() != request.brokerEpoch()) {
            return Decision.unchanged(new BrokerHeartbeatResponseData().setErrorCode(Errors.STALE_BROKER_EPOCH.code()));
        }
        List<ApiMessage> records = new ArrayList<>();
        List<Uuid> online = new ArrayList<>(broker.logDirs());
        online.removeAll(request.offlineLogDirs());
        boolean alone = PartitionRules.isAlone(image, broker.id());
        BrokerHeartbeatResponseData answer = new BrokerHeartbeatResponseData()
                .setIsCaughtUp(!broker.fenced() || sessions.isCaughtUp(image, broker, request.currentMetadataOffset()))
                .setIsFenced(broker.fenced());
        cordon(broker, request, records);
        if (broker.fenced()) {
            ofFenced(image, broker, request, answer, records);
            return Decision.of(records, answer);
        }
        sessions.onServing(broker);
        if ((request.wantFence() && othersServe(image, broker)) || (isDiskless(broker, request) && !alone)) {
            fence(rules, image, broker, records);
            answer.setIsFenced(true).setShouldShutDown(request.wantShutDown());
        } else if (request.wantShutDown()) {
            ofLeaving(image, broker, answer, records);
        } else if (online.size() < broker.logDirs().size() && !alone) {
            loseDirectories(image, broker, online, records);
        }
        return Decision.of(records, answer);
    }

    /** A broker that has not yet read its configuration says nothing. */
    private static void cordon(BrokerImage broker, BrokerHeartbeatRequestData request, List<ApiMessage> records) {
        @Nullable List<Uuid> cordoned = request.cordonedLogDirs();
        if (cordoned != null && !Set.copyOf(cordoned).equals(Set.copyOf(broker.cordonedDirs()))) {
            records.add(change(broker).setCordonedLogDirs(cordoned));
        }
    }

    private static boolean othersServe(MetadataImage image, BrokerImage broker) {
        return image.brokers().stream()
                .anyMatch(other -> other.id() != broker.id() && !other.fenced() && !other.inControlledShutdown());
    }

    private static boolean isDiskless(BrokerImage broker, BrokerHeartbeatRequestData request) {
        return !broker.logDirs().isEmpty() && request.offlineLogDirs().containsAll(broker.logDirs());
    }

    private void ofFenced(
            MetadataImage image,
            BrokerImage broker,
            BrokerHeartbeatRequestData request,
            BrokerHeartbeatResponseData answer,
            List<ApiMessage> records) {
        if (request.wantShutDown()) {
            answer.setShouldShutDown(true);
        } else if (broker.inControlledShutdown()) {
            return; // it has said that it ends: only another registration begins anew
        } else if (answer.isCaughtUp() && !request.wantFence() && !isDiskless(broker, request)) {
            records.add(change(broker).setFenced(NO));
            rules.onArrival(image, broker.id(), records);
            answer.setIsFenced(false);
        }
    }

    private void ofLeaving(
            MetadataImage image, BrokerImage broker, BrokerHeartbeatResponseData answer, List<ApiMessage> records) {
        if (PartitionRules.isAlone(image, broker.id())) {
            if (!broker.inControlledShutdown()) {
                records.add(change(broker).setInControlledShutdown(YES));
            }
            answer.setShouldShutDown(true);
        } else if (!broker.inControlledShutdown()) {
            records.add(change(broker).setInControlledShutdown(YES));
            rules.onDeparture(image, broker.id(), records);
        } else if (sessions.isShutdownKnown(image, broker)) {
            fence(rules, image, broker, records);
            answer.setIsFenced(true).setShouldShutDown(true);
        }
    }

    /** Takes a broker out of service. Records are added. */
    static void fence(PartitionRules rules, MetadataImage image, BrokerImage broker, List<ApiMessage> records) {
        rules.onDeparture(image, broker.id(), records);
        records.add(change(broker).setFenced(YES));
    }

    private void loseDirectories(MetadataImage image, BrokerImage broker, List<Uuid> online, List<ApiMessage> records) {
        rules.onDeparture(
                image,
                broker.id(),
                partition -> {
                    Uuid directory = PartitionRules.directory(partition, broker.id());
                    return broker.logDirs().contains(directory) && !online.contains(directory);
                },
                records);
        records.add(change(broker).setLogDirs(online));
    }

    private static BrokerRegistrationChangeRecord change(BrokerImage broker) {
        return new BrokerRegistrationChangeRecord().setBrokerId(broker.id()).setBrokerEpoch(broker.epoch());
    }
}
