package io.barnabas.metadata;

import io.barnabas.metadata.Controller.Decision;
import java.util.ArrayList;
import java.util.List;
import org.apache.kafka.common.errors.BrokerIdNotRegisteredException;
import org.apache.kafka.common.errors.InvalidRequestException;
import org.apache.kafka.common.metadata.UnregisterBrokerRecord;
import org.apache.kafka.common.protocol.ApiMessage;

/**
 * The rule of taking a broker's registration out of the cluster (KIP-500): it leads and is in sync with nothing any more. One that is
 * in service is left in: it would come back at its next heartbeat. Pure.
 */
public final class BrokerRemoval {
    private BrokerRemoval() {}

    /**
     * Takes a broker out.
     *
     * @throws BrokerIdNotRegisteredException if there is no such broker
     * @throws InvalidRequestException if it is in service
     */
    public static Decision<Integer> decide(PartitionRules rules, MetadataImage image, int brokerId) {
        BrokerImage broker = image.broker(brokerId)
                .orElseThrow(() ->
                        new BrokerIdNotRegisteredException("Broker ID " + brokerId + " is not currently registered"));
        if (!broker.fenced() && !broker.inControlledShutdown()) {
            throw new InvalidRequestException("Broker " + brokerId + " is running; stop it first");
        }
        List<ApiMessage> records = new ArrayList<>();
        rules.onDeparture(image, brokerId, records);
        records.add(new UnregisterBrokerRecord().setBrokerId(brokerId).setBrokerEpoch(broker.epoch()));
        return Decision.of(records, brokerId);
    }
}
