package io.barnabas.metadata.jpa;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;
import org.apache.kafka.common.Uuid;

/** A topic. */
@Entity
@Table(name = "topic")
public class TopicEntity {
    @Id
    @Column(name = "topic_id")
    private String id = "";

    private String name = "";
    private int partitions;

    protected TopicEntity() {}

    TopicEntity(Uuid id, String name) {
        this.id = id.toString();
        this.name = name;
    }

    public Uuid id() {
        return Uuid.fromString(id);
    }

    public String name() {
        return name;
    }

    /** Number of partitions. */
    public int partitions() {
        return partitions;
    }

    void setPartitions(int count) {
        partitions = count;
    }
}
