package io.barnabas.server;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.InetAddress;
import java.net.UnknownHostException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MemberAddressesTest {
    private final Map<String, List<String>> names = new HashMap<>();

    private InetAddress[] addressesOf(String host) throws UnknownHostException {
        if (!names.containsKey(host)) {
            throw new UnknownHostException(host);
        }
        InetAddress[] addresses = new InetAddress[names.get(host).size()];
        for (int i = 0; i < addresses.length; i++) {
            addresses[i] = InetAddress.getByName(names.get(host).get(i));
        }
        return addresses;
    }

    private MemberAddresses of(String... told) {
        return new MemberAddresses(List.of(told), this::addressesOf);
    }

    @Test
    void aNameStandsForAllItsAddresses() {
        // Given
        names.put("grid.example", List.of("10.0.0.2", "10.0.0.1", "::1"));
        names.put("1.grid-2.example", List.of("10.0.0.3"));
        // When, then
        assertThat(of("grid.example:6900", "1.grid-2.example:6901").lookUp())
                .containsExactlyInAnyOrder("10.0.0.1:6900", "10.0.0.2:6900", "[0:0:0:0:0:0:0:1]:6900", "10.0.0.3:6901");
    }

    @Test
    void anAddressStandsForItself() {
        MemberAddresses addresses = of("10.0.0.1:6900", "[fe80::1]:6901");
        assertThat(addresses.lookUp()).containsExactlyInAnyOrder("10.0.0.1:6900", "[fe80::1]:6901");
        assertThat(addresses.mayChange()).isFalse();
    }

    @Test
    void aNameIsLookedUpAgainAndKeepsWhatItHadWhileNobodyKnowsIt() {
        // Given a name that nobody knows yet
        MemberAddresses addresses = of("a:6900", "10.0.0.9:6900");
        assertThat(addresses.mayChange()).isTrue();
        assertThat(addresses.lookUp()).containsExactly("10.0.0.9:6900");
        // When it has an address
        names.put("a", List.of("10.0.0.1"));
        // Then that is found
        assertThat(addresses.lookUp()).containsExactly("10.0.0.1:6900", "10.0.0.9:6900");
        // When it gets another
        names.put("a", List.of("10.0.0.2"));
        assertThat(addresses.lookUp()).containsExactly("10.0.0.2:6900", "10.0.0.9:6900");
        // When the name server is away
        names.clear();
        // Then what it said is still known
        assertThat(addresses.lookUp()).containsExactly("10.0.0.2:6900", "10.0.0.9:6900");
    }
}
