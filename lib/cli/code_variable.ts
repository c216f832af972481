/** Name of the variable that carries a code, where other users of the machine cannot see it. */
export const CODE_VARIABLE = "P2PFT_CODE";
