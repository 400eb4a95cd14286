package io.barnabas.metadata.jpa;

import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.Table;

/** A finalised feature level. */
@Entity
@Table(name = "feature")
public class FeatureEntity {
    @Id
    private String name = "";

    private short level;

    protected FeatureEntity() {}

    FeatureEntity(String name, short level) {
        this.name = name;
        this.level = level;
    }

    public String name() {
        return name;
    }

    public short level() {
        return level;
    }
}
