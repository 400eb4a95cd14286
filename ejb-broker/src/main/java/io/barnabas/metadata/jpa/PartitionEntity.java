package io.barnabas.metadata.jpa;

import io.barnabas.metadata.PartitionImage;
import jakarta.persistence.Column;
import jakarta.persistence.Convert;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import java.util.List;
import org.apache.kafka.common.Uuid;

/** A partition of a topic. */
@Entity
@IdClass(PartitionEntity.Key.class)
@Table(name = "topic_partition")
public class PartitionEntity {
    @Id
    @Column(name = "topic_id")
    private String topicId = "";

    @Id
    @Column(name = "partition_index")
    private int partition;

    private int leader;

    @Column(name = "leader_epoch")
    private int leaderEpoch;

    @Column(name = "partition_epoch")
    private int partitionEpoch;

    @Convert(converter = IntegerList.class)
    private List<Integer> replicas = List.of();

    @Convert(converter = IntegerList.class)
    private List<Integer> isr = List.of();

    @Convert(converter = IntegerList.class)
    private List<Integer> elr = List.of();

    @Convert(converter = IntegerList.class)
    @Column(name = "last_known_elr")
    private List<Integer> lastKnownElr = List.of();

    @Convert(converter = IntegerList.class)
    @Column(name = "adding_replicas")
    private List<Integer> addingReplicas = List.of();

    @Convert(converter = IntegerList.class)
    @Column(name = "removing_replicas")
    private List<Integer> removingReplicas = List.of();

    @Convert(converter = UuidList.class)
    private List<Uuid> directories = List.of();

    private boolean recovering;

    protected PartitionEntity() {}

    PartitionEntity(Uuid topicId, int partition) {
        this.topicId = topicId.toString();
        this.partition = partition;
    }

    public Uuid topicId() {
        return Uuid.fromString(topicId);
    }

    /** Its index within the topic. */
    public int partition() {
        return partition;
    }

    /** The partition as an image has it. */
    public PartitionImage image() {
        return new PartitionImage(
                partition,
                leader,
                leaderEpoch,
                partitionEpoch,
                replicas,
                isr,
                elr,
                lastKnownElr,
                addingReplicas,
                removingReplicas,
                directories,
                recovering);
    }

    void set(PartitionImage image) {
        leader = image.leader();
        leaderEpoch = image.leaderEpoch();
        partitionEpoch = image.partitionEpoch();
        replicas = image.replicas();
        isr = image.isr();
        elr = image.elr();
        lastKnownElr = image.lastKnownElr();
        addingReplicas = image.addingReplicas();
        removingReplicas = image.removingReplicas();
        directories = image.directories();
        recovering = image.recovering();
    }

    /** Primary key of a {@link PartitionEntity}, in the form that Jakarta Persistence asks for. */
    public static class Key implements java.io.Serializable {
        private static final long serialVersionUID = 1;

        private String topicId = "";
        private int partition;

        /** For the persistence provider. */
        public Key() {}

        Key(Uuid topicId, int partition) {
            this.topicId = topicId.toString();
            this.partition = partition;
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Key key && key.partition == partition && key.topicId.equals(topicId);
        }

        @Override
        public int hashCode() {
            return 31 * topicId.hashCode() + partition;
        }
    }
}
