package io.barnabas.metadata.jpa;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** How far the journal is in the entities: one row, written in the transaction that applies the records. */
@Entity
@Table(name = "journal_position")
public class JournalPosition {
    static final int ID = 1;

    @Id
    private int id = ID;

    @Column(name = "cluster_id")
    private String clusterId = "";

    @Column(name = "last_applied")
    private long lastApplied;

    @Column(name = "next_producer_id")
    private long nextProducerId;

    public int id() {
        return id;
    }

    public String clusterId() {
        return clusterId;
    }

    /** Index of the last journal entry in the entities. */
    public long lastApplied() {
        return lastApplied;
    }

    /** The first producer id that no broker has. */
    public long nextProducerId() {
        return nextProducerId;
    }

    void set(String cluster, long index, long producerId) {
        clusterId = cluster;
        lastApplied = index;
        nextProducerId = producerId;
    }
}
