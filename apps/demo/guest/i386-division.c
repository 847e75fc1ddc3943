/*
 * What gcc's own library has and tcc's has not: the C library for i386 was compiled by gcc, which divides 64 bits by it.
 */
unsigned long long __udivmoddi4(unsigned long long dividend, unsigned long long divisor, unsigned long long *remainder)
{
    unsigned long long quotient = dividend / divisor;
    if (remainder)
        *remainder = dividend - quotient * divisor;
    return quotient;
}
