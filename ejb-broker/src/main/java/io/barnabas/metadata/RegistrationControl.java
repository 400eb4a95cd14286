package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.errors.DuplicateBrokerRegistrationException;
import org.apache.kafka.common.errors.InconsistentClusterIdException;
import org.apache.kafka.common.errors.InvalidRegistrationException;
import org.apache.kafka.common.errors.UnsupportedVersionException;
import org.apache.kafka.common.message.BrokerRegistrationRequestData;
import org.apache.kafka.common.message.BrokerRegistrationResponseData;
import org.apache.kafka.common.metadata.RegisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.Errors;
import org.jspecify.annotations.Nullable;

/**
 * The rule of registering a broker: it begins fenced, under an epoch that is the index of its registration, and in the same entry it
 * gives up what its former incarnation was in sync with (KIP-903), and what it was eligible for if that one did not end in order
 * (KIP-966). The same incarnation again only presents itself anew. Pure.
 */
final class RegistrationControl {
    private final PartitionRules rules;

    RegistrationControl(PartitionRules rules) {
        this.rules = rules;
    }

    /**
     * Registers a broker.
     *
     * @param inUse whether another incarnation of that id was heard lately
     * @throws org.apache.kafka.common.errors.ApiException why it cannot be
     */
    Decision<BrokerRegistrationResponseData> decide(
            MetadataImage image, BrokerRegistrationRequestData request, boolean inUse) {
        check(image, request);
        @Nullable BrokerImage former = image.broker(request.brokerId()).orElse(null);
        boolean again = former != null && former.incarnationId().equals(request.incarnationId());
        if (inUse && !again) {
            throw new DuplicateBrokerRegistrationException("Another broker is registered with id " + request.brokerId()
                    + "; if it was restarted lately, its session ends soon");
        }
        List<ApiMessage> records = new ArrayList<>();
        records.add(record(request, again ? former : null));
        if (!again) {
            boolean unclean = former == null || former.epoch() != request.previousBrokerEpoch();
            rules.onRestart(image, request.brokerId(), unclean, request.logDirs(), records);
        }
        return new Decision<>(records, after -> answer(after, request));
    }

    private static RegisterBrokerRecord record(BrokerRegistrationRequestData request, @Nullable BrokerImage same) {
        RegisterBrokerRecord record = new RegisterBrokerRecord()
                .setBrokerId(request.brokerId())
                .setBrokerEpoch(same == null ? -1 : same.epoch())
                .setIncarnationId(request.incarnationId())
                .setRack(request.rack())
                .setLogDirs(request.logDirs())
                .setFenced(same == null || same.fenced())
                .setInControlledShutdown(same != null && same.inControlledShutdown());
        List<BrokerImage.Endpoint> endpoints = request.listeners().stream()
                .map(l -> new BrokerImage.Endpoint(l.name(), l.host(), l.port(), l.securityProtocol()))
                .toList();
        return ImageRecords.presented(record, endpoints, features(request));
    }

    private static Map<String, BrokerImage.FeatureRange> features(BrokerRegistrationRequestData request) {
        Map<String, BrokerImage.FeatureRange> features = new TreeMap<>();
        request.features()
                .forEach(f -> features.put(
                        f.name(), new BrokerImage.FeatureRange(f.minSupportedVersion(), f.maxSupportedVersion())));
        return features;
    }

    /** Another registration may have followed at once; its epoch is not this one's. */
    private static BrokerRegistrationResponseData answer(MetadataImage after, BrokerRegistrationRequestData request) {
        return after.broker(request.brokerId())
                .filter(b -> b.incarnationId().equals(request.incarnationId()))
                .map(b -> new BrokerRegistrationResponseData().setBrokerEpoch(b.epoch()))
                .orElseGet(() ->
                        new BrokerRegistrationResponseData().setErrorCode(Errors.DUPLICATE_BROKER_REGISTRATION.code()));
    }

    private static void check(MetadataImage image, BrokerRegistrationRequestData request) {
        if (!image.clusterId().equals(request.clusterId())) {
            throw new InconsistentClusterIdException(
                    "Expected cluster ID " + image.clusterId() + ", but got cluster ID " + request.clusterId());
        }
        checkDirectories(image, request);
        Map<String, BrokerImage.FeatureRange> features = features(request);
        if (!features.containsKey(MetadataNodeSettings.METADATA_VERSION)) {
            throw new InvalidRegistrationException(
                    "Request features do not contain '" + MetadataNodeSettings.METADATA_VERSION + "'");
        }
        image.features().forEach((name, level) -> {
            BrokerImage.@Nullable FeatureRange range = features.get(name);
            if (range == null || !range.contains(level)) {
                throw new UnsupportedVersionException("Unable to register because the broker does not support level "
                        + level + " of " + name + "; it supports " + range);
            }
        });
    }

    private static void checkDirectories(MetadataImage image, BrokerRegistrationRequestData request) {
        List<Uuid> directories = request.logDirs();
        if (directories.isEmpty()) {
            throw new InvalidRegistrationException("No directories specified in request");
        }
        if (new HashSet<>(directories).size() != directories.size()) {
            throw new InvalidRegistrationException("Duplicate directory ID in request");
        }
        if (directories.stream().anyMatch(PartitionRules::isReserved)) {
            throw new InvalidRegistrationException("Reserved directory ID in request");
        }
        image.brokers().stream()
                .filter(b -> b.id() != request.brokerId())
                .filter(b -> b.logDirs().stream().anyMatch(directories::contains))
                .findFirst()
                .ifPresent(b -> {
                    throw new InvalidRegistrationException(
                            "Broker " + b.id() + " is already registered with one of the directories");
                });
    }
}
