package io.barnabas.log;

/**
 * How an append stands to transactions (KIP-890).
 *
 * @param guard what {@link PartitionLog#beginVerification} gave for a transactional batch, or {@link #NO_GUARD}, or {@link #TRUSTED}
 * @param transactionVersion of a transaction's marker: from 2 on its epoch must be new to the log; 0 for everything else
 */
public record AppendTerms(long guard, short transactionVersion) {
    /** Nothing was verified: a transactional batch is taken only into a transaction that is open in the log already. */
    public static final long NO_GUARD = 0;
    /** The caller vouches for what it appends. */
    public static final long TRUSTED = -1;

    /** Terms of an append that is no transactional batch of a client and no marker. */
    public static final AppendTerms NONE = new AppendTerms(TRUSTED, (short) 0);

    private static final AppendTerms UNGUARDED = new AppendTerms(NO_GUARD, (short) 0);

    /** Terms of a transactional batch. */
    public static AppendTerms guarded(long guard) {
        return guard == NO_GUARD ? UNGUARDED : new AppendTerms(guard, (short) 0);
    }

    /** Terms of a marker. */
    public static AppendTerms marker(short transactionVersion) {
        return new AppendTerms(TRUSTED, transactionVersion);
    }
}
