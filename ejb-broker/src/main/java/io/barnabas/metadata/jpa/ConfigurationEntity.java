package io.barnabas.metadata.jpa;

import jakarta.persistence.Column;
import jakarta.persistence.Entity;
import jakarta.persistence.Id;
import jakarta.persistence.IdClass;
import jakarta.persistence.Table;
import org.apache.kafka.common.config.ConfigResource;

/** A setting of a topic, a broker or another resource. */
@Entity
@IdClass(ConfigurationEntity.Key.class)
@Table(name = "configuration")
public class ConfigurationEntity {
    @Id
    @Column(name = "resource_type")
    private short resourceType;

    @Id
    @Column(name = "resource_name")
    private String resourceName = "";

    @Id
    @Column(name = "config_key")
    private String key = "";

    @Column(name = "config_value")
    private String value = "";

    protected ConfigurationEntity() {}

    ConfigurationEntity(ConfigResource resource, String key, String value) {
        this.resourceType = resource.type().id();
        this.resourceName = resource.name();
        this.key = key;
        this.value = value;
    }

    public ConfigResource resource() {
        return new ConfigResource(ConfigResource.Type.forId((byte) resourceType), resourceName);
    }

    public String key() {
        return key;
    }

    public String value() {
        return value;
    }

    /** Primary key of a {@link ConfigurationEntity}. */
    public static class Key implements java.io.Serializable {
        private static final long serialVersionUID = 1;

        private short resourceType;
        private String resourceName = "";
        private String key = "";

        /** For the persistence provider. */
        public Key() {}

        @Override
        public boolean equals(Object other) {
            return other instanceof Key k
                    && k.resourceType == resourceType
                    && k.resourceName.equals(resourceName)
                    && k.key.equals(key);
        }

        @Override
        public int hashCode() {
            return 31 * (31 * resourceType + resourceName.hashCode()) + key.hashCode();
        }
    }
}
